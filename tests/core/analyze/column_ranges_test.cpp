// SPDX-License-Identifier: Apache-2.0
#include "core/analyze/column_ranges.h"

#include <gtest/gtest.h>

#include <cmath>

namespace owq {
namespace {

TEST(ColumnRanges, MinMaxAndMoments) {
    const std::vector<float> w{1, -2, 3, 5};
    const ColumnRanges r = columnRanges("l", w.data(), 2, 2);
    EXPECT_EQ(r.columnMin, (std::vector<float>{1, -2}));
    EXPECT_EQ(r.columnMax, (std::vector<float>{3, 5}));
    EXPECT_EQ(r.min, -2);
    EXPECT_EQ(r.max, 5);
    EXPECT_DOUBLE_EQ(r.mean, 1.75);
    EXPECT_NEAR(r.standardDeviation, std::sqrt((0.5625 + 14.0625 + 1.5625 + 10.5625) / 4), 1e-12);
}

TEST(ColumnRanges, NonFiniteWeightsAreCountedAndLeftOut) {
    const std::vector<float> w{NAN, 1, NAN, INFINITY};
    const ColumnRanges r = columnRanges("l", w.data(), 2, 2);
    EXPECT_EQ(r.nonFinite, 3);
    EXPECT_TRUE(std::isnan(r.columnMin[0]));
    EXPECT_EQ(r.columnMax[1], 1.f);
    EXPECT_EQ(r.mean, 1.0);
}

}  // namespace
}  // namespace owq
