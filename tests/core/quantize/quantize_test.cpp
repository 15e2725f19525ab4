// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "tests/core/quantize/problem.h"

namespace owq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LinearOutcome quantize(const Problem& p, const LinearRecipe& recipe) {
    return quantizeLinear(p.weight.data(), p.rows, p.columns, p.hessian.data(), recipe);
}

void expectSound(const Problem& p, const LinearOutcome& o) {
    const QuantizedLinear& q = o.weight;
    ASSERT_EQ(int64_t(q.codes.size()), p.rows * p.columns);
    ASSERT_EQ(int64_t(q.scale.size()), p.rows * q.groups());
    ASSERT_EQ(q.zero.size(), q.scale.size());
    ASSERT_EQ(int64_t(q.weakWeight.size()), p.rows * int64_t(q.weakColumns.size()));
    for (uint8_t c : q.codes) ASSERT_LT(c, 1 << q.bits);
    for (float s : q.scale) ASSERT_TRUE(s > 0 && std::isfinite(s));
    for (float z : q.zero) ASSERT_TRUE(z >= 0 && z < float(1 << q.bits) && z == std::nearbyint(z));
    EXPECT_TRUE(std::isfinite(o.error));
    std::vector<int32_t> order = o.statistics.order;
    std::sort(order.begin(), order.end());
    for (int64_t c = 0; c < p.columns; c++) ASSERT_EQ(order[c], c);
    const std::vector<int32_t> grid = gridOfColumns(q);
    for (int64_t r = 0; r < p.rows; r++)
        for (int32_t c : q.weakColumns) ASSERT_EQ(q.codes[r * p.columns + c], q.zero[r * q.groups() + grid[c]]);
    for (float v : dequantize(q)) ASSERT_TRUE(std::isfinite(v));
}

TEST(Quantize, EveryShapeAndNumberOfWeakColumns) {
    for (int64_t rows : {1, 17}) {
        for (int64_t columns : {1, 3, 129}) {
            const Problem p(rows, columns, 50);
            for (int64_t weak : {int64_t(0), int64_t(1), columns - 1, columns}) {
                for (int64_t group : {0, 5, 128}) {
                    for (Method method : {Method::rtn, Method::owq})
                        expectSound(p, quantize(p, {.method = method, .weakColumns = weak, .groupSize = group}));
                }
                expectSound(p, quantize(p, {.bits = 4, .weakColumns = weak, .symmetric = true, .actOrder = true}));
            }
        }
    }
}

TEST(Quantize, BitsFrom2To8) {
    const Problem p(8, 64, 200);
    double last = INFINITY;
    for (int bits = 2; bits <= 8; bits++) {
        const LinearOutcome o = quantize(p, {.bits = bits});
        expectSound(p, o);
        EXPECT_LT(o.error, last);
        last = o.error;
    }
}

TEST(Quantize, WeakColumnsAreStoredInTheModelsType) {
    const Problem p(8, 64, 200);
    const std::vector<float> exact = quantize(p, {.weakColumns = 3, .storedType = DType::f32}).weight.weakWeight;
    const std::vector<float> half = quantize(p, {.weakColumns = 3, .storedType = DType::f16}).weight.weakWeight;
    EXPECT_NE(exact, half);
    EXPECT_EQ(Tensor::rounded(DType::f16, {8, 3}, exact).toFloat(), half);
}

TEST(Quantize, RtnNeedsNoHessian) {
    const Problem p(9, 40, 100);
    const LinearRecipe recipe{.method = Method::rtn, .searchGrid = false};
    const LinearOutcome without = quantizeLinear(p.weight.data(), 9, 40, nullptr, recipe), with = quantize(p, recipe);
    EXPECT_EQ(without.weight.codes, with.weight.codes);
    EXPECT_EQ(without.error, 0);
    double error = 0;
    const std::vector<float> values = dequantize(with.weight);
    for (int64_t r = 0; r < 9; r++)
        for (int64_t c = 0; c < 40; c++) error += std::pow(values[r * 40 + c] - p.weight[r * 40 + c], 2) * p.h(c, c) / 2;
    EXPECT_NEAR(with.error / error, 1, 1e-5);
    for (size_t i = 0; i < values.size(); i++)
        EXPECT_LE(std::abs(values[i] - p.weight[i]), with.weight.scale[i / 40] * 0.5001f);
}

TEST(Quantize, GroupsSkipWeakColumns) {
    Problem p(6, 40, 100);
    const LinearOutcome o = quantizeLinear(p.weight.data(), 6, 40, p.hessian.data(),
                                           {.method = Method::rtn, .weakColumns = 3, .searchGrid = false, .groupSize = 8});
    const std::vector<float> values = dequantize(o.weight);
    const std::vector<int32_t> grid = gridOfColumns(o.weight);
    std::vector<int> size(5, 0);
    for (int64_t c = 0; c < 40; c++) {
        if (std::find(o.weight.weakColumns.begin(), o.weight.weakColumns.end(), c) != o.weight.weakColumns.end()) continue;
        size[grid[c]]++;
        for (int64_t r = 0; r < 6; r++)
            EXPECT_LE(std::abs(values[r * 40 + c] - p.weight[r * 40 + c]), o.weight.scale[r * 5 + grid[c]] * 0.5001f);
    }
    EXPECT_THAT(size, ElementsAre(8, 8, 8, 8, 5));
}

TEST(Quantize, DeadInputs) {
    Problem p(10, 64, 300);
    p.silence(5);
    p.silence(60);
    const LinearOutcome o = quantize(p, {.weakColumns = 2});
    expectSound(p, o);
    EXPECT_THAT(o.notes, ElementsAre(HasSubstr("2 of 64 input columns")));
    const std::vector<float> values = dequantize(o.weight);
    for (int64_t r = 0; r < 10; r++) {
        EXPECT_EQ(values[r * 64 + 5], 0);
        EXPECT_EQ(values[r * 64 + 60], 0);
    }
}

TEST(Quantize, DampingIsRaisedForIdenticalInputs) {
    Problem p(10, 64, 300);
    p.repeat(7, 20);
    EXPECT_THAT(quantize(p, {}).notes, IsEmpty());
    const LinearOutcome o = quantize(p, {.damping = 0});
    expectSound(p, o);
    EXPECT_EQ(o.damping, 0.01);
    EXPECT_THAT(o.notes, ElementsAre(HasSubstr("input columns 7 and 20 are identical")));
}

TEST(Quantize, FewTokens) {
    const Problem p(10, 64, 5);
    EXPECT_THAT(quantize(p, {}).notes, IsEmpty());
    const LinearOutcome o = quantize(p, {.damping = 0});
    expectSound(p, o);
    EXPECT_THAT(o.notes, ElementsAre(HasSubstr("fewer calibration tokens")));
}

TEST(Quantize, PlainRoundingWhenNothingHelps) {
    Problem p(10, 64, 300);
    for (float& h : p.hessian) h = -h;
    const LinearOutcome o = quantize(p, {.weakColumns = 2, .storedType = DType::f32});
    expectSound(p, o);
    EXPECT_THAT(o.notes, ElementsAre(testing::AllOf(HasSubstr("rounded plainly"), HasSubstr("diagonal is negative"))));
    EXPECT_DOUBLE_EQ(o.damping, 10);
    const std::vector<float> values = dequantize(o.weight);
    for (int32_t c : o.weight.weakColumns) EXPECT_EQ(values[c], p.weight[c]);
}

TEST(Quantize, RefusesWhatIsNotFinite) {
    for (float bad : {NAN, INFINITY, -INFINITY}) {
        Problem p(4, 16, 40);
        p.weight[16 * 2 + 3] = bad;
        try {
            quantize(p, {});
            FAIL();
        } catch (const Error& e) {
            EXPECT_THAT(e.what(), HasSubstr("row 2, column 3"));
        }
    }
}

TEST(Quantize, RoundsPlainlyWhereTheHessianIsNotFinite) {
    for (float bad : {NAN, INFINITY, -INFINITY}) {
        Problem p(4, 16, 40);
        p.h(4, 9) = bad;
        const LinearOutcome o = quantize(p, {.weakColumns = 2});
        EXPECT_THAT(o.notes, ElementsAre(testing::AllOf(HasSubstr("not finite at input column 9"), HasSubstr("rounded plainly"))));
        EXPECT_EQ(o.error, 0);
        const LinearOutcome plain =
            quantizeLinear(p.weight.data(), 4, 16, nullptr, {.method = Method::rtn, .weakColumns = 2, .metric = WeakMetric::weightMagnitude});
        EXPECT_EQ(o.weight.codes, plain.weight.codes);
        EXPECT_EQ(o.weight.weakColumns, plain.weight.weakColumns);
        EXPECT_EQ(dequantize(o.weight), dequantize(plain.weight));
    }
}

TEST(Quantize, RefusesImpossibleRecipes) {
    const Problem p(4, 16, 40);
    for (const LinearRecipe& recipe :
         {LinearRecipe{.bits = 1}, LinearRecipe{.bits = 9}, LinearRecipe{.weakColumns = -1}, LinearRecipe{.weakColumns = 17},
          LinearRecipe{.groupSize = -1}, LinearRecipe{.groupSize = 4, .actOrder = true}, LinearRecipe{.damping = -1},
          LinearRecipe{.damping = NAN}})
        EXPECT_THROW(quantize(p, recipe), Error);
    EXPECT_THROW(quantizeLinear(p.weight.data(), 4, 16, nullptr, {}), Error);
    EXPECT_THROW(quantizeLinear(p.weight.data(), 0, 16, nullptr, {.method = Method::rtn}), Error);
}

TEST(Quantize, StopsOnRequest) {
    const Problem p(4, 16, 40);
    std::stop_source source;
    source.request_stop();
    EXPECT_THROW(quantizeLinear(p.weight.data(), 4, 16, p.hessian.data(), {}, source.get_token()), Cancelled);
}

}  // namespace
}  // namespace owq
