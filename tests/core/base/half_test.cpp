// SPDX-License-Identifier: Apache-2.0
#include "core/base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace owq {
namespace {

TEST(Half, EveryPatternSurvivesTheRoundTrip) {
    for (uint32_t h = 0; h < 0x10000; ++h) {
        const float f = halfToFloat(uint16_t(h));
        if (std::isnan(f)) {
            EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(f))));
        } else {
            ASSERT_EQ(floatToHalf(f), h) << f;
        }
    }
}

TEST(Half, RoundsToNearestEven) {
    // Between each pair of neighbours: just below, at and just above the middle.
    for (uint32_t h = 0; h < 0x7bff; ++h) {
        const float low = halfToFloat(uint16_t(h)), high = halfToFloat(uint16_t(h + 1)), middle = (low + high) / 2;
        ASSERT_EQ(floatToHalf(std::nextafter(middle, 0.f)), h);
        ASSERT_EQ(floatToHalf(std::nextafter(middle, 1e6f)), h + 1);
        ASSERT_EQ(floatToHalf(middle), h % 2 == 0 ? h : h + 1);
    }
    EXPECT_EQ(floatToHalf(65519.f), 0x7bff);
    EXPECT_EQ(floatToHalf(65520.f), 0x7c00);
    EXPECT_EQ(floatToHalf(-std::numeric_limits<float>::infinity()), 0xfc00);
}

TEST(Bfloat16, RoundsToNearestEven) {
    EXPECT_EQ(floatToBfloat16(1.f), 0x3f80);
    EXPECT_EQ(floatToBfloat16(1.f + 0x1p-8f), 0x3f80);      // tie to even
    EXPECT_EQ(floatToBfloat16(1.f + 3 * 0x1p-8f), 0x3f82);  // tie to even
    EXPECT_TRUE(std::isnan(bfloat16ToFloat(floatToBfloat16(std::nanf("")))));
    EXPECT_EQ(bfloat16ToFloat(0x3f80), 1.f);
}

}  // namespace
}  // namespace owq
