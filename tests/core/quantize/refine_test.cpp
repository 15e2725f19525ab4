// SPDX-License-Identifier: Apache-2.0
// Refinement after the column loop: never worse, a local minimum, and its figures are true.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "core/base/error.h"
#include "core/quantize/quantize.h"
#include "kernels/thread_pool.h"
#include "tests/core/quantize/problem.h"

namespace owq {
namespace {

LinearOutcome quantize(const Problem& p, const LinearRecipe& recipe) {
    return quantizeLinear(p.weight.data(), p.rows, p.columns, p.hessian.data(), recipe);
}

/// Half of the diagonal of (W - Q) H (W - Q)ᵀ with the damped H, in double.
std::vector<double> rowLosses(const Problem& p, const std::vector<float>& values, const std::vector<double>& h) {
    std::vector<double> losses(size_t(p.rows), 0), rest(size_t(p.columns));
    for (int64_t r = 0; r < p.rows; r++) {
        for (int64_t c = 0; c < p.columns; c++)
            rest[size_t(c)] = double(p.weight[r * p.columns + c]) - values[r * p.columns + c];
        for (int64_t i = 0; i < p.columns; i++)
            for (int64_t j = 0; j < p.columns; j++) losses[size_t(r)] += rest[i] * rest[j] * h[i * p.columns + j] / 2;
    }
    return losses;
}

double lossOf(const Problem& p, const std::vector<float>& values, const std::vector<double>& h) {
    const std::vector<double> losses = rowLosses(p, values, h);
    return std::accumulate(losses.begin(), losses.end(), 0.0);
}

struct Setting {
    int bits;
    int64_t weak, group;
    bool symmetric, actOrder;
};
const Setting kSettings[] = {{2, 0, 0, false, false}, {3, 4, 0, false, false}, {3, 3, 16, false, false},
                             {4, 0, 16, true, false}, {4, 2, 0, true, true},   {8, 0, 0, false, false}};

LinearRecipe recipeOf(const Setting& s, int passes) {
    LinearRecipe recipe{.bits = s.bits,
                        .weakColumns = s.weak,
                        .symmetric = s.symmetric,
                        .groupSize = s.group,
                        .actOrder = s.actOrder};
    recipe.storedType = DType::f32;
    recipe.refinePasses = passes;
    return recipe;
}

TEST(Refine, LowersTheLossAndReportsIt) {
    const Problem p(24, 80, 300);
    const std::vector<double> h = p.damped(0.01);
    for (const Setting& s : kSettings) {
        SCOPED_TRACE(testing::Message() << s.bits << " bits, " << s.weak << " weak, groups of " << s.group);
        double last = INFINITY, first = 0;
        for (int passes : {0, 1, 3, 10}) {
            const LinearOutcome o = quantize(p, recipeOf(s, passes));
            const double loss = lossOf(p, dequantize(o.weight), h);
            EXPECT_NEAR(o.error / loss, 1, 1e-3) << passes << " passes";
            EXPECT_LE(loss, last * (1 + 1e-6)) << passes << " passes";
            double sum = 0;
            for (float l : o.statistics.columnLoss) sum += l;
            EXPECT_NEAR(sum / o.error, 1, 1e-4);
            if (passes == 0) first = loss;
            last = loss;
        }
        EXPECT_LT(last, 0.98 * first) << "ten passes gain more than nothing";
    }
}

/// Weights without outliers, inputs with much in common (H = I + 10 · 11ᵀ): the error of a column moves into later ones nearly whole, which
/// need more range than the search leaves them.
Problem evenProblem(int64_t rows, int64_t columns) {
    Problem p(rows, columns, 1);
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    for (float& w : p.weight) w = 0.05f * std::clamp(normal(random), -1.5f, 1.5f);
    for (int64_t i = 0; i < columns; i++)
        for (int64_t j = 0; j < columns; j++) p.h(i, j) = i == j ? 11 : 10;
    return p;
}

TEST(EitherGrid, KeepsForEachRowWhatLosesLess) {
    bool minMaxWonARow = false, searchWonARow = false;
    for (const Setting& s : kSettings) {
        SCOPED_TRACE(testing::Message() << s.bits << " bits, " << s.weak << " weak, groups of " << s.group);
        for (const Problem& p : {Problem(24, 80, 300), evenProblem(24, 80)}) {
            const std::vector<double> h = p.damped(0.01);
            LinearRecipe recipe = recipeOf(s, 0);
            const LinearOutcome searched = quantize(p, recipe);
            recipe.eitherGrid = true;
            const LinearOutcome either = quantize(p, recipe);
            recipe.eitherGrid = recipe.searchGrid = false;
            const LinearOutcome minMax = quantize(p, recipe);
            const auto a = rowLosses(p, dequantize(searched.weight), h), b = rowLosses(p, dequantize(minMax.weight), h),
                       e = rowLosses(p, dequantize(either.weight), h);
            // Min-max ranks columns by its own grid: with weak columns its run is another problem than the one either grid solves.
            for (size_t r = 0; r < e.size(); ++r) {
                EXPECT_LE(e[r], a[r] * (1 + 1e-4)) << "row " << r;
                if (s.weak) continue;
                EXPECT_NEAR(e[r] / std::min(a[r], b[r]), 1, 1e-4) << "row " << r;
                (b[r] < a[r] ? minMaxWonARow : searchWonARow) = true;
            }
            EXPECT_NEAR(either.error / lossOf(p, dequantize(either.weight), h), 1, 1e-3);
        }
    }
    EXPECT_TRUE(minMaxWonARow);
    EXPECT_TRUE(searchWonARow);
}

TEST(EitherGrid, MendsASearchThatLosesToMinMaxAtTwoBitsWithoutOutliers) {
    const Problem p = evenProblem(32, 128);
    const LinearRecipe searched{.method = Method::optq, .bits = 2}, minMax{.method = Method::optq, .bits = 2, .searchGrid = false},
        either{.method = Method::optq, .bits = 2, .eitherGrid = true};
    const double ofSearch = quantize(p, searched).error, ofMinMax = quantize(p, minMax).error, ofEither = quantize(p, either).error;
    EXPECT_LT(ofMinMax, ofSearch) << "the case that this is for";
    EXPECT_LE(ofEither, ofMinMax * (1 + 1e-4));
}

TEST(EitherGrid, NeedsAColumnLoop) {
    const Problem p(4, 16, 40);
    EXPECT_THROW(quantize(p, {.method = Method::rtn, .eitherGrid = true}), Error);
}

TEST(Refine, EndsWhereNoSingleCodeAndNoWeakColumnCanDoBetter) {
    const Problem p(6, 40, 200, 7);
    const std::vector<double> h = p.damped(0.01);
    const LinearOutcome o = quantize(p, recipeOf({3, 2, 0, false, false}, 100));
    const QuantizedLinear& q = o.weight;
    const std::vector<float> values = dequantize(q);
    std::vector<uint8_t> weak(size_t(p.columns), 0);
    for (int32_t c : q.weakColumns) weak[size_t(c)] = 1;
    for (int64_t r = 0; r < p.rows; r++) {
        for (int64_t c = 0; c < p.columns; c++) {
            double pull = 0;  // the loss changes by (d H d)/2 - d pull when this value moves by d
            for (int64_t j = 0; j < p.columns; j++)
                pull +=
                    (double(p.weight[r * p.columns + j]) - values[r * p.columns + j]) * h[j * p.columns + c];
            const double bend = h[c * p.columns + c];
            if (weak[size_t(c)]) {
                EXPECT_NEAR(pull / bend, 0, 1e-5) << "row " << r << " weak column " << c;
                continue;
            }
            for (int step : {-1, 1}) {
                const int code = q.codes[r * p.columns + c] + step;
                if (code < 0 || code >= 1 << q.bits) continue;
                const double d = double(q.scale[size_t(r)]) * step;
                EXPECT_GE(d * d * bend / 2 - d * pull, -1e-6 * bend * d * d)
                    << "row " << r << " column " << c;
            }
        }
    }
}

TEST(Refine, KeepsScalesInTheirStoredType) {
    const Problem p(16, 48, 200);
    for (DType type : {DType::f16, DType::bf16}) {
        for (int64_t group : {0, 16}) {
            LinearRecipe recipe = recipeOf({3, 2, group, false, false}, 4);
            recipe.scaleType = type;
            const QuantizedLinear q = quantize(p, recipe).weight;
            EXPECT_EQ(Tensor::rounded(type, {int64_t(q.scale.size())}, q.scale).toFloat(), q.scale);
        }
    }
}

TEST(Refine, IsTheSameForAnyNumberOfThreads) {
    const Problem p(40, 96, 300);
    const int before = kernels::threads();
    kernels::setThreads(1);
    const LinearOutcome one = quantize(p, recipeOf({3, 2, 0, false, false}, 3));
    kernels::setThreads(3);
    const LinearOutcome three = quantize(p, recipeOf({3, 2, 0, false, false}, 3));
    kernels::setThreads(before);
    EXPECT_EQ(one.weight.codes, three.weight.codes);
    EXPECT_EQ(one.weight.scale, three.weight.scale);
    EXPECT_EQ(one.weight.weakWeight, three.weight.weakWeight);
}

TEST(Refine, StopsWhenAsked) {
    const Problem p(8, 32, 100);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(quantizeLinear(p.weight.data(), p.rows, p.columns, p.hessian.data(),
                                recipeOf(kSettings[0], 2), stop.get_token()),
                 Cancelled);
}

}  // namespace
}  // namespace owq
