// SPDX-License-Identifier: Apache-2.0
#include "core/text/bpe_words.h"

#include "core/text/byte_level.h"
#include "core/text/unicode.h"

namespace owq {

std::string fallbackPiece(uint8_t byte) {
    constexpr const char* kDigits = "0123456789ABCDEF";
    return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
}

int fallbackByte(std::string_view piece) {
    if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
    int byte = 0;
    for (char c : piece.substr(3, 2)) {
        const int lower = c | 0x20;
        if (c >= '0' && c <= '9') byte = byte * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f') byte = byte * 16 + (lower - 'a' + 10);
        else return -1;
    }
    return byte;
}

BpeWords::BpeWords(std::shared_ptr<const BpeModel> model, const BpeRules& rules) : model_(std::move(model)), rules_(rules) {
    for (size_t byte = 0; byte < 256; ++byte)
        byteIds_[byte] = model_->find(rules_.byteLevel ? byteLetters()[byte] : fallbackPiece(uint8_t(byte)));
}

bool BpeWords::appendBytes(std::string_view character, std::vector<int32_t>& out) const {
    for (char c : character)
        if (byteIds_[uint8_t(c)] < 0) return false;
    for (char c : character) out.push_back(byteIds_[uint8_t(c)]);
    return true;
}

void BpeWords::encode(std::string_view word, std::vector<int32_t>& out) const {
    if (rules_.wholeWordsFirst) {
        std::string letters;
        if (rules_.byteLevel)
            for (char c : word) letters += byteLetters()[uint8_t(c)];
        if (const int32_t id = find(rules_.byteLevel ? std::string_view(letters) : word); id >= 0) {
            out.push_back(id);
            return;
        }
    }
    std::vector<int32_t> symbols;
    symbols.reserve(word.size());
    bool unknownBefore = false;
    for (size_t at = 0; at < word.size();) {
        const size_t length = rules_.byteLevel ? 1 : firstCharacter(word.substr(at)).bytes;
        const std::string_view character = word.substr(at, length);
        at += length;
        const int32_t id = rules_.byteLevel ? byteIds_[uint8_t(character[0])] : find(character);
        if (id >= 0) {
            symbols.push_back(id);
        } else if (!(rules_.byteFallback && !rules_.byteLevel && appendBytes(character, symbols)) && rules_.unknown >= 0) {
            if (!(unknownBefore && rules_.fuseUnknown)) symbols.push_back(rules_.unknown);
            unknownBefore = true;
            continue;
        }
        unknownBefore = false;
    }
    model_->merge(symbols, out);
}

}  // namespace owq
