// SPDX-License-Identifier: Apache-2.0
#include "core/base/sign_test.h"

#include <gtest/gtest.h>

namespace owq {
namespace {

TEST(SignTest, IsTheBinomialTail) {
    EXPECT_EQ(signTest(0, 0), 1);
    EXPECT_NEAR(signTest(0, 5), 2.0 / 32, 1e-12);
    EXPECT_NEAR(signTest(1, 10), 2.0 * 11 / 1024, 1e-12);
    EXPECT_NEAR(signTest(9, 10), 2.0 * 11 / 1024, 1e-12);
    EXPECT_EQ(signTest(5, 10), 1);
}

}  // namespace
}  // namespace owq
