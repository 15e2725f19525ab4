// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace owq {

struct AdamOptions {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0;
    std::span<const float> scale{};  ///< of each weight's learning rate, or none
};

/// fp32 master weights and their moments.
struct AdamState {
    std::vector<float> weights, first, second;
    int64_t steps = 0;
};

/// One step of AdamW (Loshchilov and Hutter 2019, Algorithm 2): decay is apart from the gradient's moments.
void adamStep(AdamState& state, std::span<const float> gradient, double learningRate, const AdamOptions& options = {});

/// Scales the gradient down to a norm of at most `limit` (0: never); the norm before.
double clipNorm(std::span<float> gradient, double limit);

/// Rises over the first `warmUp` of `total` steps, then falls as a cosine to a tenth of `peak`; step counts from 0.
double scheduledRate(double peak, int64_t step, int64_t warmUp, int64_t total);

}  // namespace owq
