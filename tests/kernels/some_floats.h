// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace owq::kernels {

/// Heavy-tailed, as weights and activations are.
inline std::vector<float> someFloats(int64_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::student_t_distribution<float> heavy(4);
    std::vector<float> x(static_cast<size_t>(count));
    for (float& v : x) v = heavy(random);
    return x;
}

}  // namespace owq::kernels
