// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <unordered_map>
#include <utility>

#include "core/text/word_model.h"

namespace owq {

/// Unigram model of tokenizer.json: of all ways to cut a word into entries the one with the largest sum of scores.
class UnigramModel : public WordModel {
public:
    using Vocabulary = std::vector<std::pair<std::string, double>>;  ///< entry and log probability; the place is the id

    /// `unknown`: id for characters that no entry covers, -1 for none. Throws Error naming `where`.
    UnigramModel(Vocabulary vocabulary, int32_t unknown, bool byteFallback, const std::string& where);

    /// Throws Error when a character needs the unknown token and there is none.
    void encode(std::string_view word, std::vector<int32_t>& out) const override;
    int32_t find(std::string_view piece) const override;
    const std::string& piece(int32_t id) const override { return vocabulary_[size_t(id)].first; }
    int64_t size() const override { return int64_t(vocabulary_.size()); }
    int32_t unknown() const override { return unknown_; }
    std::string name() const override { return "Unigram"; }

private:
    void append(std::string_view piece, std::vector<int32_t>& out) const;

    Vocabulary vocabulary_;
    std::vector<std::pair<std::string_view, int32_t>> sorted_;  ///< entries in the order of their bytes
    int32_t unknown_;
    bool byteFallback_;
    double unknownScore_ = 0;
    std::string where_;
};

}  // namespace owq
