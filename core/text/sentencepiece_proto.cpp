// SPDX-License-Identifier: Apache-2.0
#include "core/text/sentencepiece_proto.h"

#include <cstdint>
#include <functional>

#include "core/base/error.h"

namespace owq {
namespace {

// One pass over the fields of a protocol buffer message. Numbers arrive in `number`, submessages in `bytes`.
class Reader {
public:
    Reader(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

    using Field = std::function<void(uint64_t field, uint64_t number, std::string_view bytes)>;
    void each(const Field& field) {
        while (!bytes_.empty()) {
            const uint64_t tag = varint();
            switch (tag & 7) {
                case 0: field(tag >> 3, varint(), {}); break;
                case 1: field(tag >> 3, 0, take(8)); break;
                case 2: field(tag >> 3, 0, take(varint())); break;
                case 5: field(tag >> 3, 0, take(4)); break;
                default: damaged();
            }
        }
    }

private:
    [[noreturn]] void damaged() const {
        throw Error("not a SentencePiece model", where_, "Fetch the file again; it may be cut or a large-file pointer");
    }
    uint64_t varint() {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const auto byte = uint8_t(take(1)[0]);
            value |= uint64_t(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        damaged();
    }
    std::string_view take(uint64_t count) {
        if (count > bytes_.size()) damaged();
        const std::string_view result = bytes_.substr(0, size_t(count));
        bytes_.remove_prefix(size_t(count));
        return result;
    }

    std::string_view bytes_;
    const std::string& where_;
};

bool spaceInside(std::string_view piece) {
    constexpr std::string_view kSpacePiece = "\xe2\x96\x81";
    while (piece.starts_with(kSpacePiece)) piece.remove_prefix(kSpacePiece.size());
    return piece.find(kSpacePiece) != std::string_view::npos;
}

}  // namespace

SentencePieceFacts readSentencePieceFacts(std::string_view bytes, const std::string& where) {
    constexpr uint64_t kUserDefined = 4;
    SentencePieceFacts facts;
    bool plainPieces = true, byteFallback = false, identity = true, escapesSpaces = true;
    Reader(bytes, where).each([&](uint64_t field, uint64_t, std::string_view message) {
        if (field == 1)  // a piece
            Reader(message, where).each([&](uint64_t f, uint64_t number, std::string_view text) {
                if (f == 1 && spaceInside(text)) plainPieces = false;
                if (f == 3 && number == kUserDefined) plainPieces = false;
            });
        if (field == 2)  // trainer_spec
            Reader(message, where).each([&](uint64_t f, uint64_t number, std::string_view) {
                static constexpr const char* kTypes[] = {"", "unigram", "BPE", "word", "char"};
                if (f == 3 && number >= 1 && number <= 4) facts.modelType = kTypes[number];
                if (f == 35) byteFallback = number != 0;
            });
        if (field == 3)  // normalizer_spec
            Reader(message, where).each([&](uint64_t f, uint64_t number, std::string_view text) {
                if (f == 2 && !text.empty()) identity = false;  // table of replaced characters
                if (f == 3) facts.addDummyPrefix = number != 0;
                if (f == 4) facts.removeExtraSpaces = number != 0;
                if (f == 5) escapesSpaces = number != 0;
            });
    });
    facts.wordsAreApart = facts.modelType == "BPE" && plainPieces && byteFallback && identity && escapesSpaces &&
                          !facts.removeExtraSpaces;
    return facts;
}

}  // namespace owq
