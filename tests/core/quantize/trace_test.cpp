// SPDX-License-Identifier: Apache-2.0
// The steps shown are those that quantizeLinear and findGrid take.
#include "core/quantize/trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "kernels/range_search.h"
#include "tests/core/quantize/problem.h"

namespace owq {
namespace {

LinearRecipe recipe(int64_t weakColumns, int bits = 3) {
    LinearRecipe r;
    r.method = weakColumns ? Method::owq : Method::optq;
    r.bits = bits;
    r.weakColumns = weakColumns;
    return r;
}

ColumnTrace traced(const Problem& p, const LinearRecipe& r) {
    return traceColumns(p.weight.data(), p.rows, p.columns, p.hessian.data(), r);
}

TEST(Trace, TakesTheCodesOfQuantizeLinear) {
    for (uint32_t seed = 1; seed <= 8; seed++) {
        const Problem p(8, 12, 300, seed);
        for (const int64_t weak : {0, 1, 3}) {
            const ColumnTrace trace = traced(p, recipe(weak));
            const LinearOutcome plain = quantizeLinear(p.weight.data(), p.rows, p.columns, p.hessian.data(), recipe(weak));
            ASSERT_EQ(int64_t(trace.steps.size()), p.columns - weak);
            for (size_t j = 0; j < trace.steps.size(); j++) {
                const int32_t column = plain.statistics.order[j];
                for (int64_t r = 0; r < p.rows; r++) {
                    const size_t at = size_t(r * p.columns + column);
                    ASSERT_EQ(trace.steps[j].codes[size_t(r)], plain.weight.codes[at]) << seed << ' ' << weak << ' ' << j << ' ' << r;
                    const float value = plain.weight.scale[size_t(r)] * (float(plain.weight.codes[at]) - plain.weight.zero[size_t(r)]);
                    ASSERT_EQ(trace.steps[j].rounded[size_t(r)], value);
                    ASSERT_EQ(trace.last[size_t(r * p.columns) + j], value);
                }
            }
            EXPECT_NEAR(trace.outputError, plain.error, 1e-4 * plain.error);
        }
    }
}

TEST(Trace, ChoosesTheCellThatFindGridChooses) {
    for (uint32_t seed = 1; seed <= 20; seed++)
        for (const int bits : {2, 3, 4}) {
            const Problem p(8, 12, 50, seed);
            std::vector<uint8_t> excluded(12, 0);
            excluded[4] = seed % 2;
            for (int64_t r = 0; r < p.rows; r++) {
                const float* const row = p.weight.data() + r * p.columns;
                const GridTable table = gridTable(row, excluded.data(), p.columns, bits);
                float scale = 0, zero = 0;
                kernels::findGrid(row, 1, p.columns, p.columns, excluded.data(), {.bits = bits, .steps = 100}, &scale, &zero);
                EXPECT_EQ(zero, float(table.zero)) << seed << ' ' << bits << ' ' << r;
                EXPECT_NEAR(scale, table.stepSize(table.step), 1e-6f * scale) << seed << ' ' << bits << ' ' << r;
                EXPECT_EQ(table.at(table.step, table.zero), *std::min_element(table.error.begin(), table.error.end()));
                EXPECT_EQ(int(table.error.size()), 100 * (1 << bits));
            }
        }
}

TEST(Trace, MovesEachErrorIntoLaterColumnsByItsRowOfTheFactor) {
    const Problem p(5, 12, 300, 3);
    const ColumnTrace trace = traced(p, recipe(1));
    const int64_t n = p.columns;
    EXPECT_EQ(trace.outcome.statistics.order.back(), p.columns / 3) << "the loud input is the weak column, and last";
    for (size_t j = 0; j < trace.steps.size(); j++) {
        const TraceStep& step = trace.steps[j];
        const std::vector<float>& after = j + 1 < trace.steps.size() ? trace.steps[j + 1].before : trace.last;
        double loss = 0;
        for (int64_t r = 0; r < p.rows; r++) {
            const float w = step.before[size_t(r * n) + j], u = trace.factor[j * size_t(n) + j];
            EXPECT_NEAR(step.error[size_t(r)], (w - step.rounded[size_t(r)]) / u, 1e-5 * std::abs(step.error[size_t(r)]) + 1e-9);
            loss += double(step.error[size_t(r)]) * step.error[size_t(r)] / 2;
            for (int64_t k = 0; k < n; k++) {
                const float before = step.before[size_t(r * n + k)], now = after[size_t(r * n + k)];
                if (k < int64_t(j)) {
                    EXPECT_EQ(now, before) << "columns that had their turn stand";
                }
                if (k > int64_t(j)) {
                    EXPECT_NEAR(now, before - step.error[size_t(r)] * trace.factor[j * size_t(n) + size_t(k)], 1e-7);
                }
            }
        }
        EXPECT_NEAR(step.loss, loss, 1e-5 * loss);
    }
}

TEST(Trace, FactorIsThatOfTheInverse) {
    const Problem p(2, 12, 300, 5);
    const ColumnTrace trace = traced(p, recipe(0));
    const size_t n = 12;  // U H Uᵀ: with Uᵀ U = H⁻¹ it is the identity
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t a = 0; a < n; a++)
                for (size_t b = 0; b < n; b++)
                    sum += double(trace.factor[i * n + a]) * trace.hessian[a * n + b] * trace.factor[j * n + b];
            EXPECT_NEAR(sum, i == j, 1e-3) << i << ' ' << j;
        }
}

TEST(Trace, RefusesWhatIsNotOnePlainLoop) {
    const Problem p(2, 12, 300);
    LinearRecipe grouped = recipe(0), rounded = recipe(0);
    grouped.groupSize = 4;
    rounded.method = Method::rtn;
    EXPECT_THROW(traced(p, grouped), Error);
    EXPECT_THROW(traced(p, rounded), Error);
    EXPECT_THROW(traceColumns(p.weight.data(), 2, 12, nullptr, recipe(0)), Error);
}

}  // namespace
}  // namespace owq
