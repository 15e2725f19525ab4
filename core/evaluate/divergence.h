// SPDX-License-Identifier: Apache-2.0
// How far a model's predictions are from those of the model that it was made from.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/evaluate/perplexity.h"

namespace owq {

/// Mean over windows. Windows are the independent units, tokens of one window are not; so the standard error is that
/// of a mean of windows, sqrt(Σ(mᵢ - mean)² / (n - 1) / n), and there is none for a single window.
struct WindowMean {
    double mean = 0;
    std::optional<double> standardError;
};
WindowMean windowMean(const std::vector<double>& windows);

/// What two distributions over the next token have in common; logits [vocabulary].
struct TokenDivergence {
    double kl = 0;         ///< KL(original ‖ model), nats; fp64, so above -1e-9 for logits of any usual size
    bool sameTop = false;  ///< both have their largest logit at the same id; of equal ones the lowest id counts
    double probabilityChange = 0;  ///< of the token that really follows: model minus original
    double lossChange = 0;         ///< nats, of the token that really follows: model minus original
};
TokenDivergence tokenDivergence(const float* original, const float* model, int64_t vocabulary, int32_t next);

/// A share of the values is at most so large; between two values by their distance.
struct Quantile {
    double share = 0, value = 0;
};
/// Of values that are reordered; none of no values.
std::vector<Quantile> quantiles(std::vector<float>& values);

/// Means over the scored tokens of one document.
struct DocumentDivergence {
    int64_t document = 0;  ///< from 0
    int64_t tokens = 0;
    double kl = 0;                       ///< nats per token
    double logPerplexityDifference = 0;  ///< model minus original
    double top1Agreement = 0;
};

struct DivergenceResult {
    PerplexityResult model, original;
    WindowMean kl;                       ///< KL(original ‖ model), nats per token
    WindowMean logPerplexityDifference;  ///< model minus original, paired by window
    double top1Agreement = 0;            ///< share of the positions, 0…1
    std::vector<double> windowKl;        ///< mean over the tokens of each window
    std::vector<double> positionKl;      ///< [length - 1], mean over the windows of each position
    std::vector<DocumentDivergence> documents;  ///< with a scored token, where windows tell documents apart
    std::vector<Quantile> klQuantiles;   ///< of single tokens
    std::vector<Quantile> probabilityChange;  ///< of the right token, model minus original
    double rmsProbabilityChange = 0;
};

/// What a model is held against. With `base` (a file, core/evaluate/base_file.h) the original is computed once: where there is no such
/// file it is written, where there is one its log-probabilities, of 16 bit, are taken and `source` may be null.
struct Original {
    std::shared_ptr<const ModelSource> source;
    std::filesystem::path base;
    std::string name;   ///< the source's, kept in the file
    std::string state;  ///< fileState of the source, likewise: tells a model apart from another one that took its place
};

/// Over the same positions as the perplexity: all whose next token is scored. `options` bounds what both models hold
/// together. progress: fraction 0…1, whether the original is under work, and its block (-1: the heads of both).
/// Throws as perplexity does, and Error when the vocabularies differ, the windows are too long for one of the two, or the base is of other
/// windows, or of another original by name or state.
DivergenceResult divergence(const std::shared_ptr<const ModelSource>& model,
                            const Original& original, const TokenWindows& windows,
                            const PerplexityOptions& options = {}, std::stop_token stop = {},
                            const std::function<void(double fraction, bool original, int block)>& progress = {});

}  // namespace owq
