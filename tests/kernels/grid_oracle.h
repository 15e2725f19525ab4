// SPDX-License-Identifier: Apache-2.0
// The range search by brute force: the rule of the authors' code, candidate by candidate; step sizes and
// values in fp32, powers and sums in fp64.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <vector>

#include "kernels/range_search.h"

namespace owq::kernels {

struct GridOracle {
    using Row = std::vector<float>;

    float range, divisor;
    int levels, zeroFrom, zeroTo, steps;

    GridOracle(const Row& x, const GridOptions& o) : levels((1 << o.bits) - 1), steps(o.steps) {
        float low = 0, high = 0;
        for (float v : x) low = std::min(low, v), high = std::max(high, v);
        const int middle = 1 << (o.bits - 1);
        range = o.symmetric ? std::max(-low, high) : std::min(high - low, FLT_MAX);
        divisor = float(o.symmetric ? middle : levels);
        zeroFrom = o.symmetric ? middle : 0;
        zeroTo = o.symmetric ? middle : levels;
    }

    float size(int i) const { return std::max(range / float(steps) * float(i) / divisor, 1e-8f); }

    double loss(const Row& x, int i, int z) const {
        const float s = size(i);
        double total = 0;
        for (float v : x) {
            const float q = std::clamp(std::nearbyint(v / s) + float(z), 0.f, float(levels)) - float(z);
            total += std::pow(std::abs(double(s * q) - double(v)), 2.4);
        }
        return total;
    }

    void grid(int i, int z, bool symmetric, float& scale, float& zero) const {
        const float part = range / float(steps) * float(i), s = size(i);
        if (symmetric) {
            scale = s, zero = float(z);
            return;
        }
        const float low = std::min(0.f, -float(z) * s), high = std::max(0.f, part - float(z) * s);
        scale = std::max((high - low) / float(levels), 1e-8f);
        zero = std::clamp(std::nearbyint(-low / scale), 0.f, float(levels));
    }
};

/// Is it the grid of the best candidate, or of one whose loss ties with it?
inline testing::AssertionResult isBestGrid(const std::vector<float>& x, const GridOptions& options,
                                           float scale, float zero) {
    const GridOracle oracle(x, options);
    double best = INFINITY;
    int bestI = 0, bestZ = 0;
    std::vector<double> losses;
    for (int i = 1; i <= options.steps; i++) {
        for (int z = oracle.zeroFrom; z <= oracle.zeroTo; z++) {
            losses.push_back(oracle.loss(x, i, z));
            if (losses.back() < best) best = losses.back(), bestI = i, bestZ = z;
        }
    }
    float wantScale, wantZero;
    oracle.grid(bestI, bestZ, options.symmetric, wantScale, wantZero);
    if (scale == wantScale && zero == wantZero) return testing::AssertionSuccess();
    size_t at = 0;
    for (int i = 1; i <= options.steps; i++) {
        for (int z = oracle.zeroFrom; z <= oracle.zeroTo; z++) {
            float s, zp;
            oracle.grid(i, z, options.symmetric, s, zp);
            if (losses[at++] <= best * (1 + 5e-7) && s == scale && zp == zero)
                return testing::AssertionSuccess();
        }
    }
    return testing::AssertionFailure()
           << "bits " << options.bits << ", " << x.size() << " columns: scale " << scale << " zero " << zero
           << ", want " << wantScale << " " << wantZero;
}

}  // namespace owq::kernels
