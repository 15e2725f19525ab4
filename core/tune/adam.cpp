// SPDX-License-Identifier: Apache-2.0
#include "core/tune/adam.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace owq {

void adamStep(AdamState& s, std::span<const float> gradient, double learningRate, const AdamOptions& o) {
    s.first.resize(s.weights.size());
    s.second.resize(s.weights.size());
    ++s.steps;
    const double corrected1 = 1 - std::pow(o.beta1, double(s.steps)), corrected2 = 1 - std::pow(o.beta2, double(s.steps));
    for (size_t i = 0; i < s.weights.size(); ++i) {
        const double g = double(gradient[i]);
        const double m = o.beta1 * double(s.first[i]) + (1 - o.beta1) * g, v = o.beta2 * double(s.second[i]) + (1 - o.beta2) * g * g;
        s.first[i] = float(m);
        s.second[i] = float(v);
        const double w = double(s.weights[i]), rate = o.scale.empty() ? learningRate : learningRate * double(o.scale[i]);
        s.weights[i] = float(w - rate * (m / corrected1 / (std::sqrt(v / corrected2) + o.epsilon) + o.weightDecay * w));
    }
}

double clipNorm(std::span<float> gradient, double limit) {
    double squares = 0;
    for (const float g : gradient) squares += double(g) * double(g);
    const double norm = std::sqrt(squares);
    if (limit > 0 && norm > limit)
        for (float& g : gradient) g = float(double(g) * (limit / norm));
    return norm;
}

double scheduledRate(double peak, int64_t step, int64_t warmUp, int64_t total) {
    if (step < warmUp) return peak * double(step + 1) / double(warmUp);
    const double done = double(step - warmUp) / double(std::max<int64_t>(1, total - warmUp));
    return peak * (0.1 + 0.45 * (1 + std::cos(std::numbers::pi * std::min(1.0, done))));
}

}  // namespace owq
