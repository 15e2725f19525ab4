// SPDX-License-Identifier: Apache-2.0
// Private to core sources. Runs token windows through one model or several and shows their logits side by side.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/evaluate/perplexity.h"

namespace owq {

/// A stretch of one window as every model sees it.
struct ScoredRows {
    int64_t window = 0;
    const int32_t* next = nullptr;   ///< [rows], the tokens that really follow
    std::vector<at::Tensor> logits;  ///< per model [rows, vocabulary] fp32, contiguous, where the model computes
};

/// Shows each position but the last of each window once, in order. Windows run through the blocks of one model after
/// the other, so many at a time that the activations of all models fit; logits are made of so many rows at a time
/// that those of all models fit, and never stored. options.arithmetic is that of the first model, the others are dense.
/// progress: fraction 0…1 of all the work, index of the model and
/// its block under work (-1: the heads). Throws as perplexity does.
void visitLogits(const std::vector<std::shared_ptr<const ModelSource>>& sources, const TokenWindows& windows,
                 const PerplexityOptions& options, const std::stop_token& stop,
                 const std::function<void(double fraction, int model, int block)>& progress,
                 const std::function<void(const ScoredRows& rows)>& visit);

/// Gathers the losses of one model.
class LossSum {
public:
    /// `who`: of whom an error speaks, "the model".
    LossSum(const TokenWindows& windows, std::string who);
    /// Throws Error when the losses are not finite.
    void add(const ScoredRows& rows, const at::Tensor& logits);
    PerplexityResult result() const;

private:
    int64_t scored_;  ///< tokens of a window
    std::string who_;
    std::vector<double> sums_;  ///< per window
};

}  // namespace owq
