// SPDX-License-Identifier: Apache-2.0
#include "app/cli/format.h"

#include <gtest/gtest.h>

namespace owq::cli {
namespace {

TEST(Format, Bytes) {
    EXPECT_EQ(bytesText(0), "0 B");
    EXPECT_EQ(bytesText(1023), "1023 B");
    EXPECT_EQ(bytesText(1536), "1.5 KiB");
    EXPECT_EQ(bytesText(13'840'864), "13.2 MiB");
    EXPECT_EQ(bytesText(uint64_t(140) << 30), "140 GiB");
}

TEST(Format, Counts) {
    EXPECT_EQ(countText(0), "0");
    EXPECT_EQ(countText(999), "999");
    EXPECT_EQ(countText(1000), "1,000");
    EXPECT_EQ(countText(-1234567), "-1,234,567");
    EXPECT_EQ(shortCountText(3'461'120), "3.46 M");
    EXPECT_EQ(shortCountText(6'740'000'000), "6.74 B");
    EXPECT_EQ(shortCountText(12'345), "12,345");
}

TEST(Format, Durations) {
    EXPECT_EQ(durationText(0.42), "0.4 s");
    EXPECT_EQ(durationText(12.4), "12 s");
    EXPECT_EQ(durationText(185), "3:05");
    EXPECT_EQ(durationText(3723), "1:02:03");
    EXPECT_EQ(durationText(-1), "?");
}

}  // namespace
}  // namespace owq::cli
