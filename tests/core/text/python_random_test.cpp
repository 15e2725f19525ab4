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

TEST(PythonRandom, SamplesAndShufflesAsPythonDoes) {
    using Values = std::vector<int64_t>;
    PythonRandom few(7), many(42), pool(3);
    EXPECT_EQ(few.sample(30, 6), (Values{10, 4, 12, 20, 1, 2}));  // from a pool
    EXPECT_EQ(few.randint(0, 999), 840);
    EXPECT_EQ(many.sample(1119, 25), (Values{228, 51, 563, 501, 457, 285, 209, 1116, 178, 864, 65, 61, 191, 447, 476, 1034, 54, 407, 859, 451, 919, 569, 13, 326, 865}));
    EXPECT_EQ(many.randint(0, 999), 348);
    EXPECT_EQ(pool.sample(22, 5), (Values{7, 18, 17, 4, 11}));
    PythonRandom random(42);
    Values values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    random.shuffle(values);
    EXPECT_EQ(values, (Values{7, 5, 2, 8, 9, 6, 11, 3, 4, 0, 1, 10}));
    EXPECT_EQ(random.randint(0, 999), 32);
    EXPECT_TRUE(random.sample(5, 0).empty());
}

}  // namespace
}  // namespace owq
