// SPDX-License-Identifier: Apache-2.0
// What a model is tuned on: examples of tokens, some of which are scored.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/text/tokenizer.h"

namespace owq {

struct TuningExample {
    std::vector<int32_t> ids;
    int64_t first = 1;  ///< index of the first token that is scored; those before it are only read

    int64_t scored() const { return int64_t(ids.size()) - first; }
};

struct TuningData {
    std::vector<TuningExample> examples;  ///< each with at least one scored token
    std::vector<std::string> warnings;

    int64_t scored() const;
};

/// A text: one tokenization of all of it (special tokens spelled), cut into windows of `length` tokens as perplexity is measured; the last
/// may be shorter. JSON lines (core/text/documents.h): {"text"} is such a text of its own; {"prompt", "response"} is one example whose
/// response and the end-of-text token behind it are scored. The two are tokenized together, because a response goes on where the prompt
/// ends. What is longer than `length` is cut at its end; where that leaves nothing to score, the example is left out with a warning.
/// Error: other fields, nothing to score in all of the file, ids that the model does not have.
TuningData readTuningData(const std::filesystem::path& file, const Tokenizer& tokenizer, int64_t length, int64_t vocabulary);

/// Takes `share` of the examples (at least one, and at least one is left), drawn by the seed, out of `data`. None when data has only one.
TuningData splitValidation(TuningData& data, double share, uint64_t seed);

/// The order of an epoch: every example once, shuffled by seed and epoch.
std::vector<int64_t> epochOrder(int64_t examples, uint64_t seed, int64_t epoch);

/// Some examples side by side, filled up to the longest: what is filled comes after an example, so nothing of it is seen by the others.
struct TuningBatch {
    int64_t rows = 0, length = 0;
    std::vector<int32_t> ids;         ///< [rows, length]
    std::vector<int64_t> positions;   ///< in the flat ids, ascending: whose next token is scored
    std::vector<int32_t> targets;     ///< those tokens
};
TuningBatch makeBatch(const std::vector<TuningExample>& examples, const std::vector<int64_t>& which);

}  // namespace owq
