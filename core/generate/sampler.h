// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/generate/generator.h"

namespace owq {

/// Draws tokens from logits. Its random numbers are its own, so that a seed gives the same text everywhere.
class Sampler {
public:
    /// Throws Error on a negative temperature, topP outside (0, 1] or fewer than one token.
    explicit Sampler(const SamplingOptions& options);
    /// Greedy: the lowest id among the largest logits. Error when a logit is not a number or the largest is not finite.
    int32_t draw(std::span<const float> logits);

private:
    double uniform();  ///< [0, 1)
    /// Of order_ the first `sorted` ids are the likeliest, in order; returns how many are afterwards.
    size_t sortMore(size_t sorted);

    SamplingOptions options_;
    uint64_t state_;
    std::vector<double> probability_;
    std::vector<int32_t> order_;
};

}  // namespace owq
