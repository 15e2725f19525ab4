// SPDX-License-Identifier: Apache-2.0
#include "kernels/row_functions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/cpu/features.h"
#include "kernels/thread_pool.h"
#include "tests/kernels/each_instruction_set.h"

namespace owq::kernels {
namespace {

std::vector<float> someFloats(int64_t count, float spread, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> x(static_cast<size_t>(count));
    for (float& v : x) v = normal(random);
    return x;
}

using RowFunctions = EachInstructionSet;

TEST_P(RowFunctions, GatedSiluAgreesWithTheFormulaInDouble) {
    for (const int64_t columns : {1, 7, 8, 31, 64, 705}) {
        const int64_t rows = 67, stride = 2 * columns;
        auto halves = someFloats(rows * stride, 8, unsigned(columns));
        halves[0] = 0;
        halves[size_t(stride)] = 80;
        halves[size_t(2 * stride)] = -80;
        std::vector<float> out(static_cast<size_t>(rows * columns), NAN), again(out);
        setThreads(1);
        gatedSilu({halves.data(), halves.data() + columns, stride, rows, columns, out.data()});
        setThreads(3);
        gatedSilu({halves.data(), halves.data() + columns, stride, rows, columns, again.data()});
        EXPECT_EQ(out, again);
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < columns; ++c) {
                const double x = halves[size_t(r * stride + c)], up = halves[size_t(r * stride + columns + c)];
                const double expected = x / (1 + std::exp(-x)) * up;
                ASSERT_NEAR(out[size_t(r * columns + c)], expected, 1e-6 * std::abs(expected)) << x << " at " << r << ", " << c;
            }
    }
}

TEST_P(RowFunctions, GatedSiluStaysNaNAndDoesNotOverflow) {
    const std::vector<float> gate{NAN, 3e38f, -3e38f}, up{1, 1, 1};
    std::vector<float> out(3);
    gatedSilu({gate.data(), up.data(), 3, 1, 3, out.data()});
    EXPECT_TRUE(std::isnan(out[0]));
    EXPECT_EQ(out[1], 3e38f);
    EXPECT_NEAR(out[2], 0, 10);
}

TEST_P(RowFunctions, RmsNormAgreesWithTheFormulaInDouble) {
    for (const int64_t columns : {1, 7, 8, 31, 64, 257}) {
        const int64_t rows = 129;
        const auto x = someFloats(rows * columns, 3, unsigned(columns)), weight = someFloats(columns, 1, 9);
        std::vector<float> out(x.size(), NAN), again(x);
        const float epsilon = 1e-3f;
        setThreads(1);
        rmsNorm({x.data(), weight.data(), rows, columns, epsilon, out.data()});
        setThreads(3);
        rmsNorm({again.data(), weight.data(), rows, columns, epsilon, again.data()});
        EXPECT_EQ(out, again) << "in place, with other threads";
        for (int64_t r = 0; r < rows; ++r) {
            double squares = 0;
            for (int64_t c = 0; c < columns; ++c) squares += std::pow(double(x[size_t(r * columns + c)]), 2);
            for (int64_t c = 0; c < columns; ++c) {
                const double expected = x[size_t(r * columns + c)] / std::sqrt(squares / double(columns) + epsilon) * weight[size_t(c)];
                ASSERT_NEAR(out[size_t(r * columns + c)], expected, 1e-6 * std::abs(expected)) << r << ", " << c;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Sets, RowFunctions, testing::Values(InstructionSet::scalar, InstructionSet::avx2, InstructionSet::avx512));

}  // namespace
}  // namespace owq::kernels
