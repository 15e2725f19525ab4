// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace owq {

/// Two-sided sign test: the probability that of n fair coins as few or fewer, or as many or more, fall one way as k do; 1 at most.
double signTest(int64_t k, int64_t n);

}  // namespace owq
