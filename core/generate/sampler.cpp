// SPDX-License-Identifier: Apache-2.0
#include "core/generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace owq {

Sampler::Sampler(const SamplingOptions& options) : options_(options), state_(options.seed) {
    if (options.maxTokens < 1)
        throw Error("at least one token must be asked for", "max-tokens", "Give a number above 0.");
    if (!(options.temperature >= 0) || !std::isfinite(options.temperature))
        throw Error("the temperature is not a number from 0 up", "temperature",
                    "Use 0 for greedy, about 0.7 for varied text.");
    if (!(options.topP > 0 && options.topP <= 1))
        throw Error("top-p is not above 0 and at most 1", "top-p", "Use 0.9, or 1 for all tokens.");
}

double Sampler::uniform() {
    // SplitMix64.
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return double((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

int32_t Sampler::draw(std::span<const float> logits) {
    const auto best = std::max_element(logits.begin(), logits.end());
    if (!std::isfinite(*best) || std::any_of(logits.begin(), logits.end(), [](float logit) { return std::isnan(logit); }))
        throw Error("the model's outputs are not finite", {},
                    "The weights are damaged or the quantization failed.");
    if (options_.temperature == 0) return int32_t(best - logits.begin());

    probability_.resize(logits.size());
    for (size_t i = 0; i < logits.size(); ++i)
        probability_[i] = std::exp((double(logits[i]) - double(*best)) / options_.temperature);
    const double total = std::accumulate(probability_.begin(), probability_.end(), 0.0);
    order_.resize(logits.size());
    std::iota(order_.begin(), order_.end(), 0);
    double kept = 0;
    size_t count = 0, sorted = options_.topP < 1 ? 0 : order_.size();
    while (count < order_.size() && kept < options_.topP * total) {
        if (count == sorted) sorted = sortMore(sorted);
        kept += probability_[size_t(order_[count++])];
    }
    const double target = uniform() * kept;
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
        sum += probability_[size_t(order_[i])];
        if (target < sum) return order_[i];
    }
    return order_[count - 1];
}

// The nucleus is a few tokens most of the time: the rest of the vocabulary is only looked through.
size_t Sampler::sortMore(size_t sorted) {
    constexpr size_t kFirst = 64, kGrowth = 4;
    const auto likelier = [this](int32_t a, int32_t b) {
        const double x = probability_[size_t(a)], y = probability_[size_t(b)];
        return x != y ? x > y : a < b;
    };
    const size_t end = std::min(order_.size(), sorted ? sorted * kGrowth : kFirst);
    std::partial_sort(order_.begin() + ptrdiff_t(sorted), order_.begin() + ptrdiff_t(end), order_.end(), likelier);
    return end;
}

}  // namespace owq
