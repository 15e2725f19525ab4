// SPDX-License-Identifier: Apache-2.0
#include "kernels/cholesky.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/kernels/each_instruction_set.h"

namespace owq::kernels {
namespace {

using Cholesky = EachInstructionSet;

/// G Gᵀ with few more columns than rows, so that it is not too well conditioned; NaN above the diagonal.
std::vector<double> someMatrix(int64_t n) {
    std::mt19937 random(unsigned(n + 1));
    std::normal_distribution<double> normal;
    const int64_t across = n + 8;
    std::vector<double> g(size_t(n * across)), a(size_t(n * n), NAN);
    for (double& v : g) v = normal(random);
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c <= r; c++) {
            double sum = 0;
            for (int64_t k = 0; k < across; k++) sum += g[size_t(r * across + k)] * g[size_t(c * across + k)];
            a[size_t(r * n + c)] = sum;
        }
    return a;
}

TEST_P(Cholesky, TheProductOfTheFactorIsTheMatrix) {
    for (const int64_t n : {1, 2, 7, 8, 9, 16, 31, 127, 128, 129, 143, 256, 263, 300, 517}) {
        const std::vector<double> a = someMatrix(n);
        std::vector<double> l = a;
        ASSERT_TRUE(cholesky(l.data(), n)) << n;
        double largest = 0;
        for (int64_t r = 0; r < n; r++)
            for (int64_t c = 0; c <= r; c++) {
                double sum = 0;
                for (int64_t k = 0; k <= c; k++) sum += l[size_t(r * n + k)] * l[size_t(c * n + k)];
                // Relative to the diagonal: Higham's bound, n units of rounding, and as much again for the inverted corners.
                const double scale = std::sqrt(a[size_t(r * n + r)] * a[size_t(c * n + c)]);
                largest = std::max(largest, std::abs(sum - a[size_t(r * n + c)]) / scale);
                ASSERT_FALSE(std::isnan(sum)) << n << ": " << r << ", " << c;
            }
        EXPECT_LE(largest, 2 * double(n + 8) * std::numeric_limits<double>::epsilon()) << n;
        for (int64_t r = 0; r < n; r++) EXPECT_GT(l[size_t(r * n + r)], 0);
    }
}

TEST_P(Cholesky, ThreadsChangeNoBit) {
    for (const int64_t n : {200, 515}) {
        std::vector<double> one = someMatrix(n), three = one;
        setThreads(1);
        ASSERT_TRUE(cholesky(one.data(), n));
        setThreads(3);
        ASSERT_TRUE(cholesky(three.data(), n));
        for (int64_t r = 0; r < n; r++)
            for (int64_t c = 0; c <= r; c++) ASSERT_EQ(one[size_t(r * n + c)], three[size_t(r * n + c)]) << r << ", " << c;
    }
}

TEST_P(Cholesky, RefusesWhatIsNotPositiveDefinite) {
    for (const int64_t n : {1, 9, 200, 300}) {
        for (const int64_t at : {int64_t(0), n / 2, n - 1})
            for (const double value : {-1., 0., double(NAN), double(INFINITY)}) {
                std::vector<double> a = someMatrix(n);
                a[size_t(at * n + at)] = value;
                EXPECT_FALSE(cholesky(a.data(), n)) << n << ", " << at << ": " << value;
            }
    }
    // Equal rows and columns.
    std::vector<double> a(300 * 300, 1.);
    EXPECT_FALSE(cholesky(a.data(), 300));
    EXPECT_TRUE(cholesky(nullptr, 0));
}

TEST_P(Cholesky, StopsWhenAsked) {
    std::stop_source stop;
    stop.request_stop();
    std::vector<double> a = someMatrix(300);
    EXPECT_FALSE(cholesky(a.data(), 300, stop.get_token()));
}

INSTANTIATE_TEST_SUITE_P(Sets, Cholesky, testing::Values(InstructionSet::scalar, InstructionSet::avx2, InstructionSet::avx512));

}  // namespace
}  // namespace owq::kernels
