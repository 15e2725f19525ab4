// SPDX-License-Identifier: Apache-2.0
#include "core/text/bpe_tokenizer.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/text/byte_level.h"
#include "core/text/utf8.h"

namespace owq {

const std::string& gpt2Pattern() {
    static const std::string pattern =
        R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
    return pattern;
}

BpeTokenizer::BpeTokenizer(BpeParts parts) : parts_(std::move(parts)) {
    for (const std::string& letter : byteLetters()) byteIds_.push_back(parts_.model->find(letter));
    size_ = parts_.model->size();
    bytes_.reserve(size_t(size_));
    for (int32_t id = 0; id < parts_.model->size(); ++id) bytes_.push_back(bytesOfLetters(parts_.model->token(id)));
    for (const AddedToken& token : parts_.added.all()) size_ = std::max<int64_t>(size_, token.id + 1);
}

// The words of one encode call: cuts stretches of text and remembers what each different word became.
class BpeTokenizer::Words {
public:
    Words(const BpeTokenizer& owner, std::vector<int32_t>& out) : owner_(owner), out_(out) {}

    void add(std::string_view text) {
        if (owner_.parts_.addPrefixSpace && !text.starts_with(' '))
            text = kept_.emplace_back(" " + std::string(text));
        cut(text, 0);
    }

private:
    void cut(std::string_view text, size_t level) {
        if (level == owner_.parts_.splits.size()) return word(text);
        owner_.parts_.splits[level].split(text, [&](std::string_view piece) { cut(piece, level + 1); });
    }
    void word(std::string_view text) {
        auto [it, isNew] = known_.try_emplace(text);
        if (isNew) {
            const size_t begin = pool_.size();
            owner_.encodeWord(text, pool_);
            it->second = {begin, pool_.size() - begin};
        }
        const auto first = pool_.begin() + ptrdiff_t(it->second.first);
        out_.insert(out_.end(), first, first + ptrdiff_t(it->second.second));
    }

    const BpeTokenizer& owner_;
    std::vector<int32_t>& out_;
    std::unordered_map<std::string_view, std::pair<size_t, size_t>> known_;  ///< word to its range of pool_
    std::vector<int32_t> pool_;
    std::deque<std::string> kept_;  ///< texts that known_ points into
};

std::vector<int32_t> BpeTokenizer::encode(std::string_view utf8, const EncodeOptions& options) const {
    requireUtf8(utf8);
    std::vector<int32_t> ids;
    if (options.addSpecial) ids = parts_.prefix;
    Words words(*this, ids);
    if (options.matchSpecial)
        parts_.added.split(utf8, [&](std::string_view text) { words.add(text); },
                           [&](const AddedToken& token) { ids.push_back(token.id); });
    else if (!utf8.empty())
        words.add(utf8);
    if (options.addSpecial) ids.insert(ids.end(), parts_.suffix.begin(), parts_.suffix.end());
    return ids;
}

void BpeTokenizer::encodeWord(std::string_view word, std::vector<int32_t>& out) const {
    if (parts_.wholeWordsFirst) {
        std::string spelled;
        for (char c : word) spelled += byteLetters()[uint8_t(c)];
        if (const int32_t id = parts_.model->find(spelled); id >= 0) {
            out.push_back(id);
            return;
        }
    }
    std::vector<int32_t> symbols;
    symbols.reserve(word.size());
    for (char c : word) {
        int32_t id = byteIds_[uint8_t(c)];
        if (id < 0) id = parts_.unknown;
        if (id >= 0) symbols.push_back(id);  // a byte the vocabulary lacks disappears, as in the usual libraries
    }
    parts_.model->merge(symbols, out);
}

std::string BpeTokenizer::decode(std::span<const int32_t> ids, bool skipSpecial) const {
    std::string text;
    for (int32_t id : ids) {
        if (const AddedToken* added = parts_.added.byId(id)) {
            if (!(skipSpecial && added->special)) text += added->content;
        } else {
            piece(id);  // range check
            text += size_t(id) < bytes_.size() ? bytes_[size_t(id)] : std::string();
        }
    }
    return text;
}

std::string BpeTokenizer::piece(int32_t id) const {
    if (id < 0 || id >= size_)
        throw Error("token id " + std::to_string(id) + " is not in the vocabulary of " + std::to_string(size_), parts_.name);
    if (const AddedToken* added = parts_.added.byId(id)) return added->content;
    return id < parts_.model->size() ? parts_.model->token(id) : std::string();
}

std::string BpeTokenizer::description() const {
    return parts_.name + ", " + std::to_string(size_) + " tokens";
}

}  // namespace owq
