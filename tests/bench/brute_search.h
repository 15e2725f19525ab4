// SPDX-License-Identifier: Apache-2.0
// What the range search is measured against: every candidate, as fast as a loop over candidates gets.
#pragma once
#include <cstdint>

namespace owq::bench {

struct Candidate {
    int step = 1, zero = 0;
};

/// The best of steps * 2^bits candidates of one row, `count` a multiple of 16: for each step size one pass, the rounded codes shared by all
/// zero points, nothing written. The vectors and the power of the range search; AVX2, and FMA, which the search must do without.
Candidate bruteSearch(const float* x, int64_t count, float range, int bits, int steps);

}  // namespace owq::bench
