// SPDX-License-Identifier: Apache-2.0
#include "core/calibrate/correction.h"

#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "core/calibrate/hessian.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

const at::TensorOptions kFloats = at::TensorOptions(at::kFloat);

struct Inputs {
    at::Tensor x = at::randn({600, 24}, kFloats), y = x.add(at::randn({600, 24}, kFloats), 0.3);
    at::Tensor hessian() const {
        Hessian h(24);
        h.add(y);
        return h.finish(4);
    }
};

TEST(InputDrift, GivesTheBestWeightForTheInputsThatAreThere) {
    const Inputs in;
    InputDrift drift;
    for (int64_t first = 0; first < 600; first += 200)
        drift.add("g", in.x.narrow(0, first, 200), in.y.narrow(0, first, 200));
    const at::Tensor w = at::randn({5, 24}, kFloats);
    const at::Tensor p = drift.correction("g", in.hessian(), 4, 0, 1);
    const at::Tensor got = w.add(w.matmul(p)).to(at::kDouble);
    // Least squares: W' = W X Yᵀ (Y Yᵀ)⁻¹.
    const at::Tensor x = in.x.to(at::kDouble), y = in.y.to(at::kDouble);
    const at::Tensor want =
        at::linalg_solve(y.t().matmul(y), y.t().matmul(x).matmul(w.to(at::kDouble).t())).t();
    EXPECT_LT(testing::distance(got, want), 1e-5);
    const auto lossOf = [&](const at::Tensor& weight) {
        return x.matmul(w.to(at::kDouble).t()).sub(y.matmul(weight.t())).square().sum().item<double>();
    };
    EXPECT_LT(lossOf(got), 0.99 * lossOf(w.to(at::kDouble)));
}

TEST(InputDrift, StrengthScalesItAndDampingHoldsItBack) {
    const Inputs in;
    InputDrift drift;
    drift.add("g", in.x, in.y);
    const at::Tensor h = in.hessian(), whole = drift.correction("g", h, 4, 0.01, 1);
    EXPECT_LT(testing::distance(drift.correction("g", h, 4, 0.01, 0.5).mul(2), whole), 1e-6);
    EXPECT_LT(drift.correction("g", h, 4, 10, 1).norm().item<double>(), 0.2 * whole.norm().item<double>());
}

TEST(InputDrift, IsNothingWhereInputsAgreeAndUndefinedWhereNothingWasSeen) {
    const Inputs in;
    InputDrift drift;
    drift.add("g", in.y, in.y);
    EXPECT_EQ(drift.correction("g", in.hessian(), 4, 0.01, 1).abs().max().item<double>(), 0);
    EXPECT_FALSE(drift.correction("other", in.hessian(), 4, 0.01, 1).defined());
}

}  // namespace
}  // namespace owq
