// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/factor.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/progress.h"

namespace owq {
namespace {

at::Tensor someHessian(int64_t n) {
    const at::Tensor x = at::randn({2 * n, n}, at::kDouble);
    return x.t().matmul(x).div(double(n)).add(at::eye(n, at::kDouble));
}

at::Tensor pivots(const Factor& factor) { return factor.pivot.to(at::kDouble); }

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

class Factorization : public testing::TestWithParam<int64_t> {};

TEST_P(Factorization, GivesBackTheHessian) {
    const int64_t n = GetParam();
    const at::Tensor h = someHessian(n);
    const auto factor = factorize(hostDevice(), at::flip(h, {0, 1}), false, {});
    ASSERT_TRUE(factor);
    EXPECT_FALSE(factor->inverted);
    const at::Tensor unit = factor->unit.to(at::kDouble), r = unit.div(pivots(*factor).unsqueeze(0));
    EXPECT_EQ(largest(unit.tril(-1)), 0);
    EXPECT_EQ(largest(unit.diagonal().sub(1)), 0);
    EXPECT_LT(largest(r.matmul(r.t()).sub(h)), 3e-6 * largest(h));
}

TEST_P(Factorization, InvertedItGivesTheInverse) {
    const int64_t n = GetParam();
    const at::Tensor h = someHessian(n);
    const auto factor = factorize(hostDevice(), at::flip(h, {0, 1}), true, {});
    ASSERT_TRUE(factor);
    EXPECT_TRUE(factor->inverted);
    const at::Tensor u = factor->unit.to(at::kDouble);
    EXPECT_EQ(largest(u.tril(-1)), 0);
    EXPECT_EQ(largest(u.diagonal().sub(pivots(*factor))), 0);
    EXPECT_LT(largest(u.t().matmul(u).matmul(h).sub(at::eye(n, at::kDouble))), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Factorization, testing::Values(1, 5, 256, 257, 700));

TEST(FactorizationFailure, IsReportedNotThrown) {
    at::Tensor h = someHessian(300);
    h.diagonal()[200].fill_(-1);
    EXPECT_FALSE(factorize(hostDevice(), h.clone(), false, {}));
    EXPECT_FALSE(factorize(hostDevice(), h.clone(), true, {}));
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(factorize(hostDevice(), someHessian(300), true, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace owq
