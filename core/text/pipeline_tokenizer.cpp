// SPDX-License-Identifier: Apache-2.0
#include "core/text/pipeline_tokenizer.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace owq {

PipelineTokenizer::PipelineTokenizer(TokenizerParts parts) : parts_(std::move(parts)), size_(parts_.model->size()) {
    for (const AddedTokens* tokens : {&parts_.added, &parts_.addedNormalized})
        for (const AddedToken& token : tokens->all()) size_ = std::max<int64_t>(size_, token.id + 1);
}

// The words of one encode call: cuts stretches of text and remembers what each different word became.
class PipelineTokenizer::Words {
public:
    Words(const TokenizerParts& parts, std::vector<int32_t>& out) : parts_(parts), out_(out) {}

    /// A stretch between added tokens, as it stands in the text.
    void add(std::string_view text, bool atStart, bool matchAdded) {
        if (!parts_.normalizer.empty()) text = kept_.emplace_back(parts_.normalizer(text));
        if (!matchAdded || parts_.addedNormalized.all().empty()) return cut(text, atStart);
        parts_.addedNormalized.split(text, [&](std::string_view plain) { cut(plain, atStart && plain.data() == text.data()); },
                                     [&](const AddedToken& token) { out_.push_back(token.id); });
    }

private:
    void cut(std::string_view text, bool atStart) {
        parts_.preTokenizer.cut(text, atStart, kept_, [this](std::string_view piece, bool) { word(piece); });
    }
    void word(std::string_view text) {
        auto [it, isNew] = known_.try_emplace(text);
        if (isNew) {
            const size_t begin = pool_.size();
            parts_.model->encode(text, pool_);
            it->second = {begin, pool_.size() - begin};
        }
        const auto first = pool_.begin() + ptrdiff_t(it->second.first);
        out_.insert(out_.end(), first, first + ptrdiff_t(it->second.second));
    }

    const TokenizerParts& parts_;
    std::vector<int32_t>& out_;
    std::unordered_map<std::string_view, std::pair<size_t, size_t>> known_;  ///< word to its range of pool_
    std::vector<int32_t> pool_;
    PreTokenizer::Kept kept_;  ///< texts that known_ points into
};

std::vector<int32_t> PipelineTokenizer::encode(std::string_view utf8, const EncodeOptions& options) const {
    requireUtf8(utf8);
    std::vector<int32_t> ids;
    if (options.addSpecial) ids = parts_.prefix;
    Words words(parts_, ids);
    if (options.matchSpecial)
        parts_.added.split(utf8, [&](std::string_view text) { words.add(text, text.data() == utf8.data(), true); },
                           [&](const AddedToken& token) { ids.push_back(token.id); });
    else if (!utf8.empty())
        words.add(utf8, true, false);
    if (options.addSpecial) ids.insert(ids.end(), parts_.suffix.begin(), parts_.suffix.end());
    return ids;
}

const AddedToken* PipelineTokenizer::addedToken(int32_t id) const {
    const AddedToken* token = parts_.added.byId(id);
    return token ? token : parts_.addedNormalized.byId(id);
}

std::string PipelineTokenizer::decode(std::span<const int32_t> ids, bool skipSpecial) const {
    PieceDecoder::Pieces pieces;
    pieces.reserve(ids.size());
    for (int32_t id : ids) {
        const AddedToken* added = addedToken(id);
        if (skipSpecial && added && added->special) continue;
        pieces.push_back({piece(id), added != nullptr});
    }
    return parts_.decoder(std::move(pieces));
}

std::string PipelineTokenizer::piece(int32_t id) const {
    if (id < 0 || id >= size_)
        throw Error("token id " + std::to_string(id) + " is not in the vocabulary of " + std::to_string(size_), parts_.name);
    if (const AddedToken* added = addedToken(id)) return added->content;
    return id < parts_.model->size() ? parts_.model->piece(id) : std::string();
}

std::string PipelineTokenizer::description() const {
    return parts_.name + ", " + std::to_string(size_) + " tokens";
}

}  // namespace owq
