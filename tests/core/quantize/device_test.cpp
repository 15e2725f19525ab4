// SPDX-License-Identifier: Apache-2.0
// A linear quantized the way a GPU does it, on host memory, against the CPU.
#include <ATen/ops/from_blob.h>
#include <gmock/gmock.h>

#include <cmath>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/quantize/quantize_tensor.h"
#include "tests/core/device/emulated_cuda.h"
#include "tests/core/quantize/problem.h"

namespace owq {
namespace {

using testing::emulatedDevice;

at::Tensor matrix(const std::vector<float>& values, int64_t rows, int64_t columns) {
    return at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::kFloat);
}

LinearOutcome onDevice(const Problem& p, const LinearRecipe& recipe, const std::stop_token& stop = {}) {
    const bool calibrated = recipe.method != Method::rtn || recipe.weakColumns;
    return quantizeLinear(*emulatedDevice(), matrix(p.weight, p.rows, p.columns),
                          calibrated ? matrix(p.hessian, p.columns, p.columns) : at::Tensor(), recipe, stop);
}

LinearOutcome onHost(const Problem& p, const LinearRecipe& recipe) {
    const bool calibrated = recipe.method != Method::rtn || recipe.weakColumns;
    return quantizeLinear(p.weight.data(), p.rows, p.columns, calibrated ? p.hessian.data() : nullptr, recipe);
}

void expectClose(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); i++) ASSERT_NEAR(a[i], b[i], tolerance * std::abs(b[i]) + 1e-12) << i;
}

/// The factors differ in the last bit of a double: codes are equal, but for what stands exactly between two.
void expectSame(const LinearOutcome& device, const LinearOutcome& host, bool refined) {
    int64_t different = 0;
    for (size_t i = 0; i < host.weight.codes.size(); i++) different += device.weight.codes[i] != host.weight.codes[i];
    EXPECT_LE(different, refined ? int64_t(host.weight.codes.size()) / 1000 : 0);
    expectClose(device.weight.scale, host.weight.scale, refined ? 1e-3 : 0);
    EXPECT_EQ(device.weight.zero, host.weight.zero);
    EXPECT_EQ(device.weight.weakColumns, host.weight.weakColumns);
    expectClose(device.weight.weakWeight, host.weight.weakWeight, 1e-2);
    EXPECT_EQ(device.statistics.order, host.statistics.order);
    EXPECT_EQ(device.statistics.hessianDiagonal, host.statistics.hessianDiagonal);
    EXPECT_EQ(device.statistics.columnMin, host.statistics.columnMin);
    EXPECT_EQ(device.statistics.columnMax, host.statistics.columnMax);
    expectClose(device.statistics.columnError, host.statistics.columnError, 1e-6);
    expectClose(device.statistics.columnLoss, host.statistics.columnLoss, refined ? 0.05 : 1e-4);
    EXPECT_NEAR(device.error, host.error, 1e-4 * std::abs(host.error));
    EXPECT_EQ(device.damping, host.damping);
    EXPECT_EQ(device.notes, host.notes);
}

TEST(QuantizedOnADevice, EqualsTheCpu) {
    Problem p(70, 300, 400);
    p.silence(7);
    p.silence(120);
    for (const LinearRecipe& recipe :
         {LinearRecipe{}, LinearRecipe{.weakColumns = 6}, LinearRecipe{.bits = 4, .weakColumns = 3, .actOrder = true},
          LinearRecipe{.method = Method::optq, .bits = 2, .searchGrid = false}, LinearRecipe{.weakColumns = 4, .groupSize = 50},
          LinearRecipe{.method = Method::optq, .symmetric = true, .groupSize = 60}, LinearRecipe{.method = Method::rtn},
          LinearRecipe{.method = Method::rtn, .weakColumns = 5, .groupSize = 100}, LinearRecipe{.weakColumns = 300},
          LinearRecipe{.weakColumns = 6, .metric = WeakMetric::weightMagnitude},
          LinearRecipe{.weakColumns = 6, .scaleType = DType::f16}, LinearRecipe{.weakColumns = 6, .scaleType = DType::bf16, .refinePasses = 4},
          LinearRecipe{.weakColumns = 2, .groupSize = 100, .refinePasses = 3}, LinearRecipe{.bits = 2, .weakColumns = 4, .eitherGrid = true}}) {
        SCOPED_TRACE(::testing::Message() << methodName(recipe.method) << ", " << recipe.weakColumns << " weak, groups of " << recipe.groupSize
                                          << ", " << recipe.refinePasses << " passes");
        expectSame(onDevice(p, recipe), onHost(p, recipe), recipe.refinePasses > 0 || recipe.eitherGrid);
    }
}

TEST(QuantizedOnADevice, RaisesTheDampingAndGivesUpAsTheCpuDoes) {
    Problem p(20, 64, 200);
    p.repeat(3, 9);
    expectSame(onDevice(p, {.damping = 0}), onHost(p, {.damping = 0}), false);
    for (int64_t i = 0; i < 64; i++) p.h(i, i) = -1;
    expectSame(onDevice(p, {}), onHost(p, {}), false);
}

TEST(QuantizedOnADevice, SaysWhereANumberIsNotFinite) {
    Problem p(5, 40, 80);
    p.weight[size_t(3 * 40 + 17)] = NAN;
    EXPECT_THAT([&] { onDevice(p, {}); }, ::testing::ThrowsMessage<Error>(::testing::HasSubstr("row 3, column 17")));
    p.weight[size_t(3 * 40 + 17)] = 1;
    p.h(2, 5) = INFINITY;
    expectSame(onDevice(p, {}), onHost(p, {}), false);
    EXPECT_THROW(onDevice(p, {.bits = 9}), Error);
}

TEST(QuantizedOnADevice, StopsWhenAsked) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(onDevice(Problem(8, 32, 100), {}, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace owq
