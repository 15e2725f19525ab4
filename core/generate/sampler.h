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
    /// Greedy: the lowest id among the largest logits.
    int32_t draw(std::span<const float> logits);

private:
    double uniform();  ///< [0, 1)

    SamplingOptions options_;
    uint64_t state_;
    std::vector<double> probability_;
    std::vector<int32_t> order_;
};

}  // namespace owq
