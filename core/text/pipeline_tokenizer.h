// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/text/added_tokens.h"
#include "core/text/normalizer.h"
#include "core/text/piece_decoder.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/tokenizer.h"
#include "core/text/word_model.h"

namespace owq {

/// Everything that makes up one tokenizer, whatever files it came from. A text goes through the parts in this order.
struct TokenizerParts {
    AddedTokens added;                    ///< looked for in the text as it is
    Normalizer normalizer;
    AddedTokens addedNormalized;          ///< looked for in what the normalizer made of the text
    PreTokenizer preTokenizer;
    std::shared_ptr<const WordModel> model;
    std::vector<int32_t> prefix, suffix;  ///< put around every text by addSpecial
    PieceDecoder decoder;
    int32_t bos = -1, eos = -1;
    std::string name;                     ///< for description()
};

class PipelineTokenizer : public Tokenizer {
public:
    explicit PipelineTokenizer(TokenizerParts parts);

    std::vector<int32_t> encode(std::string_view utf8, const EncodeOptions& options) const override;
    std::string decode(std::span<const int32_t> ids, bool skipSpecial) const override;
    std::string piece(int32_t id) const override;
    int64_t size() const override { return size_; }
    int32_t bos() const override { return parts_.bos; }
    int32_t eos() const override { return parts_.eos; }
    int32_t unknown() const override { return parts_.model->unknown(); }
    std::string description() const override;

private:
    class Words;
    const AddedToken* addedToken(int32_t id) const;

    TokenizerParts parts_;
    int64_t size_ = 0;
};

}  // namespace owq
