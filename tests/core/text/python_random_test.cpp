// SPDX-License-Identifier: Apache-2.0
#include "core/text/python_random.h"

#include <gtest/gtest.h>

#include <vector>

namespace owq {
namespace {

std::vector<int64_t> draws(uint64_t seed, int64_t low, int64_t high) {
    PythonRandom random(seed);
    std::vector<int64_t> result;
    for (int i = 0; i < 5; ++i) result.push_back(random.randint(low, high));
    return result;
}

// Values printed by CPython 3.11.
TEST(PythonRandom, DrawsWhatPythonDraws) {
    EXPECT_EQ(draws(0u, 0, 157411), (std::vector<int64_t>{100989, 110250, 10612, 67873, 134027}));
    EXPECT_EQ(draws(1u, 10, 20), (std::vector<int64_t>{12, 19, 11, 14, 11}));
    EXPECT_EQ(draws(1099511627783u, 0, 35184372088832), (std::vector<int64_t>{17650064697706, 25553851817675, 31170266360545, 26203153073908, 31292677645783}));
    EXPECT_EQ(draws(0u, 0, 0), (std::vector<int64_t>{0, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace owq
