// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/brute_search.h"

namespace owq::bench {
namespace {
#include "kernels/cpu/lanes.inc"

/// Σ |error|^2.4 for eight zero points from `zero` on.
void eightLosses(const float* x, int64_t count, float size, float levels, float zero, double* loss) {
    const Floats s = all(size);
    double total[8] = {};
    for (int64_t j = 0; j < count;) {
        // Short float sums, long double ones.
        const int64_t end = j + 512 < count ? j + 512 : count;
        Floats part[8] = {};
        for (; j < end; j += kLanes) {
            const Floats v = load(x + j), code = rounded(v / s);
            for (int k = 0; k < 8; k++) {
                const float z = zero + float(k);
                part[k] += power24(clamped(code, all(-z), all(levels - z)) * s - v);
            }
        }
        for (int k = 0; k < 8; k++) total[k] += sum(part[k]);
    }
    for (int k = 0; k < 8; k++) loss[k] = total[k];
}

}  // namespace

Candidate bruteSearch(const float* x, int64_t count, float range, int bits, int steps) {
    const int levels = (1 << bits) - 1;
    Candidate best;
    double least = __builtin_inf();
    for (int i = 1; i <= steps; i++) {
        const float size = range / float(steps) * float(i) / float(levels);
        for (int z = 0; z <= levels; z += 8) {
            double loss[8];
            eightLosses(x, count, size, float(levels), float(z), loss);
            for (int k = 0; k < 8; k++)
                if (loss[k] < least) least = loss[k], best = {i, z + k};
        }
    }
    return best;
}

}  // namespace owq::bench
