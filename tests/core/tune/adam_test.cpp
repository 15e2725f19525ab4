// SPDX-License-Identifier: Apache-2.0
#include "core/tune/adam.h"

#include <gtest/gtest.h>

#include <cmath>

namespace owq {
namespace {

TEST(Adam, TwoStepsByHand) {
    AdamState s{{1.f}, {}, {}};
    adamStep(s, std::vector{0.5f}, 0.1, {.weightDecay = 0.01});
    // The first step is the learning rate, whatever the gradient's size, and the decay.
    EXPECT_NEAR(s.weights[0], 1 - 0.1 * (1 + 0.01), 1e-6);
    const double m = 0.9 * 0.05 + 0.1 * -1, v = 0.999 * 0.00025 + 0.001 * 1;
    const double before = s.weights[0];
    adamStep(s, std::vector{-1.f}, 0.1, {.weightDecay = 0.01});
    const double step = m / (1 - 0.81) / (std::sqrt(v / (1 - 0.998001)) + 1e-8);
    EXPECT_NEAR(s.weights[0], before - 0.1 * (step + 0.01 * before), 1e-6);
    EXPECT_EQ(s.steps, 2);
}

TEST(Adam, ScalesTheRateOfEachWeight) {
    AdamState one{{1.f, 1.f}, {}, {}}, scaled = one;
    const std::vector<float> scale{1, 0.25f}, gradient{0.5f, 0.5f};
    for (int i = 0; i < 3; ++i) {
        adamStep(one, gradient, 0.1, {.weightDecay = 0.01});
        adamStep(scaled, gradient, 0.1, {.weightDecay = 0.01, .scale = scale});
    }
    EXPECT_EQ(scaled.weights[0], one.weights[0]);
    // Three steps of 0.025, each with its decay.
    EXPECT_NEAR(scaled.weights[1], 1 - 3 * 0.025 - 0.025 * 0.01 * (1 + 0.975 + 0.95), 1e-5);
    EXPECT_EQ(scaled.first, one.first);
    EXPECT_EQ(scaled.second, one.second);
}

TEST(Adam, FindsTheMinimumOfAParabola) {
    AdamState s{{3.f, -2.f}, {}, {}};
    for (int i = 0; i < 400; ++i) adamStep(s, std::vector{s.weights[0] - 1, 10 * (s.weights[1] - 2)}, scheduledRate(0.1, i, 10, 400));
    EXPECT_NEAR(s.weights[0], 1, 1e-3);
    EXPECT_NEAR(s.weights[1], 2, 1e-3);
}

TEST(Adam, ClipsTheNormAndSaysIt) {
    std::vector<float> g{3, 4};
    EXPECT_DOUBLE_EQ(clipNorm(g, 10), 5);
    EXPECT_EQ(g, (std::vector<float>{3, 4}));
    EXPECT_DOUBLE_EQ(clipNorm(g, 0), 5);
    EXPECT_EQ(g, (std::vector<float>{3, 4}));
    EXPECT_DOUBLE_EQ(clipNorm(g, 1), 5);
    EXPECT_NEAR(std::hypot(g[0], g[1]), 1, 1e-6);
}

TEST(Adam, TheRateWarmsUpAndFallsAsACosine) {
    EXPECT_DOUBLE_EQ(scheduledRate(1, 0, 4, 100), 0.25);
    EXPECT_DOUBLE_EQ(scheduledRate(1, 3, 4, 100), 1);
    EXPECT_DOUBLE_EQ(scheduledRate(1, 4, 4, 100), 1);
    EXPECT_NEAR(scheduledRate(1, 52, 4, 100), 0.55, 1e-12);
    EXPECT_NEAR(scheduledRate(1, 100, 4, 100), 0.1, 1e-12);
    for (int i = 5; i < 100; ++i) EXPECT_LT(scheduledRate(1, i, 4, 100), scheduledRate(1, i - 1, 4, 100) + 1e-15);
    EXPECT_DOUBLE_EQ(scheduledRate(2, 0, 0, 1), 2);
}

}  // namespace
}  // namespace owq
