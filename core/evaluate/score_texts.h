// SPDX-License-Identifier: Apache-2.0
// How likely a model finds given texts behind given contexts.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/evaluate/perplexity.h"
#include "core/text/tokenizer.h"

namespace owq {

/// Tokens of a context and a continuation.
struct ScoredText {
    std::vector<int32_t> ids;
    int64_t scored = 0;  ///< the last so many ids are the continuation: at least 1, fewer than all
};

/// The two tokenized as one text, without special tokens; blanks at the end of the context count as the continuation's. In place of an empty
/// context stands the end-of-text token. Cut from the left to what a model of `maxPositions` can see. Throws Error where the continuation
/// has no tokens of its own, or more than the model can see.
ScoredText scoredText(const Tokenizer& tokenizer, const std::string& context, const std::string& continuation, int64_t maxPositions);

struct TextScore {
    double logLikelihood = 0;  ///< Σ log p of the continuation's tokens, natural logarithm
    bool greedy = false;       ///< each of them is the model's first choice
};

/// In the order of the texts. The model's blocks are loaded one at a time, for so many texts that their activations fit
/// options.activationBytes. What several texts begin with alike is computed once: they are taken in order of their tokens, and each goes on
/// from the keys and values of the one before. progress: fraction 0…1 and the block under work (-1: the head). Throws as perplexity does.
std::vector<TextScore> scoreTexts(const std::shared_ptr<const ModelSource>& source, const std::vector<ScoredText>& texts,
                                  const PerplexityOptions& options = {}, std::stop_token stop = {},
                                  const std::function<void(double fraction, int block)>& progress = {});

}  // namespace owq
