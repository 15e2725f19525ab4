// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <tuple>

#include "kernels/attention.h"
#include "kernels/cpu/dense_table.h"
#include "kernels/cpu/features.h"
#include "kernels/dense_matrix.h"
#include "kernels/gram_sum.h"
#include "kernels/thread_pool.h"
#include "tests/kernels/each_instruction_set.h"
#include "tests/kernels/some_floats.h"

#pragma GCC diagnostic ignored "-Wpsabi"  // wide vectors never cross a function's border there
// The shape that processors with AVX-512 use, here lowered to what this one has.
#define OWQ_SET wide
#define OWQ_LANES 16
#define OWQ_ROWS 12
#include "kernels/cpu/dense_tile.inc"

namespace owq::kernels {
namespace {

/// As behind a ReLU: few values of a token are not 0, some tokens have none, some columns are nearly always 0.
std::vector<float> fewFloats(int64_t tokens, int64_t columns, unsigned seed) {
    std::vector<float> x = someFloats(tokens * columns, seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform;
    std::vector<double> share(static_cast<size_t>(columns));
    for (double& s : share) s = std::pow(uniform(random), 4);
    for (int64_t t = 0; t < tokens; ++t) {
        const bool none = uniform(random) < 0.1;
        for (int64_t c = 0; c < columns; ++c)
            if (none || uniform(random) > share[size_t(c)]) x[size_t(t * columns + c)] = uniform(random) < 0.5 ? 0.f : -0.f;
    }
    return x;
}

using DenseProduct = EachInstructionSet;

TEST_P(DenseProduct, AgreesWithTheProductInDouble) {
    unsigned seed = 1;
    for (auto [rows, columns, tokens] : {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1}, {3, 5, 7}, {16, 32, 6}, {17, 33, 97}, {40, 257, 13},
                                         {300, 100, 200}, {70, 600, 5}, {5, 0, 3}, {33, 512, 12}}) {
        const auto w = someFloats(rows * columns, seed++), x = someFloats(tokens * columns, seed++), bias = someFloats(rows, seed++);
        const DenseMatrix matrix(w.data(), rows, columns);
        for (const float* b : {static_cast<const float*>(nullptr), bias.data()}) {
            std::vector<float> y(static_cast<size_t>(tokens * rows), NAN);
            matrix.multiply(x.data(), tokens, b, y.data());
            for (int64_t t = 0; t < tokens; ++t)
                for (int64_t r = 0; r < rows; ++r) {
                    double sum = b ? b[r] : 0, magnitude = std::abs(sum);
                    for (int64_t c = 0; c < columns; ++c) {
                        const double product = double(w[size_t(r * columns + c)]) * x[size_t(t * columns + c)];
                        sum += product;
                        magnitude += std::abs(product);
                    }
                    ASSERT_NEAR(y[size_t(t * rows + r)], sum, 2e-6 * magnitude + 1e-30)
                        << rows << " x " << columns << ", token " << t << " of " << tokens << ", row " << r;
                }
        }
    }
}

TEST_P(DenseProduct, KeepsTheWeightsBitForBit) {
    const auto w = someFloats(37 * 29, 5);
    std::vector<float> back(w.size());
    DenseMatrix(w.data(), 37, 29).copyTo(back.data());
    EXPECT_EQ(back, w);
}

TEST_P(DenseProduct, ATokenDependsOnNeitherItsNeighboursNorTheThreads) {
    const int64_t rows = 530, columns = 300, tokens = 211;
    const auto w = someFloats(rows * columns, 6), x = someFloats(tokens * columns, 7), bias = someFloats(rows, 8);
    const DenseMatrix matrix(w.data(), rows, columns);
    std::vector<float> one(static_cast<size_t>(tokens * rows)), many(one), alone(static_cast<size_t>(rows));
    setThreads(1);
    matrix.multiply(x.data(), tokens, bias.data(), one.data());
    setThreads(5);
    matrix.multiply(x.data(), tokens, bias.data(), many.data());
    EXPECT_EQ(one, many);
    for (int64_t t : {0, 5, 96, 210}) {
        matrix.multiply(&x[size_t(t * columns)], 1, bias.data(), alone.data());
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), one.begin() + t * rows)) << "token " << t;
    }
}

TEST_P(DenseProduct, GramSumAgreesWithTheSumInDouble) {
    unsigned seed = 11;
    for (auto [columns, tokens] : {std::pair<int64_t, int64_t>{1, 1}, {5, 3}, {16, 256}, {17, 257}, {100, 700}, {257, 40}, {400, 520}}) {
        const auto x = someFloats(tokens * columns, seed++);
        GramSum sum(columns);
        const int64_t cut = tokens / 3;
        sum.add(x.data(), cut);
        sum.add(x.data() + cut * columns, tokens - cut);
        std::vector<float> h(size_t(columns * columns), NAN);
        sum.copyTo(0.5f, h.data());
        for (int64_t i = 0; i < columns; ++i)
            for (int64_t j = 0; j < columns; ++j) {
                double expected = 0, magnitude = 0;
                for (int64_t t = 0; t < tokens; ++t) {
                    const double product = double(x[size_t(t * columns + i)]) * x[size_t(t * columns + j)] / 2;
                    expected += product;
                    magnitude += std::abs(product);
                }
                ASSERT_NEAR(h[size_t(i * columns + j)], expected, 2e-6 * magnitude) << columns << " columns, " << i << ", " << j;
                ASSERT_EQ(h[size_t(i * columns + j)], h[size_t(j * columns + i)]);
            }
    }
}

TEST_P(DenseProduct, PassingOverZerosChangesNoBit) {
    for (auto [rows, columns, tokens] : {std::tuple<int64_t, int64_t, int64_t>{40, 300, 97}, {33, 600, 12}, {16, 255, 1}}) {
        const auto w = someFloats(rows * columns, 61), bias = someFloats(rows, 62);
        auto x = fewFloats(tokens, columns, 63);
        const DenseMatrix matrix(w.data(), rows, columns);
        std::vector<float> few(static_cast<size_t>(tokens * rows)), all(few);
        matrix.multiply(x.data(), tokens, bias.data(), few.data());
        // The same products beside others: a first token without zeros in each tile has the others computed in full.
        const DenseTable& table = denseTable();
        for (int64_t t = 0; t < tokens; ++t) {
            auto beside = someFloats(table.rows * columns, 64);
            std::copy_n(&x[size_t(t * columns)], columns, &beside[size_t((table.rows - 1) * columns)]);
            std::vector<float> y(static_cast<size_t>(table.rows * rows));
            matrix.multiply(beside.data(), table.rows, bias.data(), y.data());
            std::copy_n(&y[size_t((table.rows - 1) * rows)], rows, &all[size_t(t * rows)]);
        }
        EXPECT_EQ(few, all) << rows << " x " << columns << ", " << tokens << " tokens";
    }
    for (auto [columns, tokens] : {std::pair<int64_t, int64_t>{5, 3}, {100, 700}, {257, 40}, {400, 520}}) {
        const auto x = fewFloats(tokens, columns, 65);
        // With as many columns that have no zeros behind them, tokens are no longer looked through.
        const int64_t wide = 4 * columns;
        auto full = someFloats(tokens * wide, 66);
        for (int64_t t = 0; t < tokens; ++t) std::copy_n(&x[size_t(t * columns)], columns, &full[size_t(t * wide)]);
        GramSum few(columns), all(wide);
        few.add(x.data(), tokens);
        all.add(full.data(), tokens);
        std::vector<float> h(static_cast<size_t>(columns * columns)), g(static_cast<size_t>(wide * wide));
        few.copyTo(1, h.data());
        all.copyTo(1, g.data());
        for (int64_t i = 0; i < columns; ++i)
            for (int64_t j = 0; j < columns; ++j)
                ASSERT_EQ(h[size_t(i * columns + j)], g[size_t(i * wide + j)]) << columns << " columns, " << i << ", " << j;
    }
}

TEST_P(DenseProduct, GramSumIsTheSameForAnyNumberOfThreads) {
    const int64_t columns = 333, tokens = 600;
    const auto x = someFloats(tokens * columns, 21);
    std::vector<float> first;
    for (int count : {1, 2, 7}) {
        setThreads(count);
        GramSum sum(columns);
        sum.add(x.data(), tokens);
        std::vector<float> h(size_t(columns * columns));
        sum.copyTo(1, h.data());
        if (first.empty()) first = h;
        EXPECT_EQ(h, first) << count << " threads";
    }
}

TEST_P(DenseProduct, CausalAttentionAgreesWithTheSumInDouble) {
    unsigned seed = 31;
    for (auto [windows, tokens, heads, keyHeads, size] :
         {std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>{1, 1, 1, 1, 32}, {2, 7, 2, 1, 32}, {1, 97, 3, 3, 64}, {2, 700, 2, 1, 32}}) {
        ASSERT_TRUE(takesHeadSize(size));
        const auto q = someFloats(windows * tokens * heads * size, seed++), k = someFloats(windows * tokens * keyHeads * size, seed++),
                   v = someFloats(windows * tokens * keyHeads * size, seed++);
        const float scale = 0.3f;
        std::vector<float> out(q.size(), NAN), again(out);
        setThreads(1);
        causalAttention({q.data(), k.data(), v.data(), windows, tokens, heads, keyHeads, size, scale, out.data()});
        setThreads(3);
        causalAttention({q.data(), k.data(), v.data(), windows, tokens, heads, keyHeads, size, scale, again.data()});
        EXPECT_EQ(out, again);
        for (int64_t w = 0; w < windows; ++w)
            for (int64_t h = 0; h < heads; ++h)
                for (int64_t t = 0; t < tokens; ++t) {
                    const auto at = [&](const std::vector<float>& x, int64_t token, int64_t of, int64_t head) {
                        return &x[size_t(((w * tokens + token) * of + head) * size)];
                    };
                    const int64_t shared = h * keyHeads / heads;
                    std::vector<double> score(static_cast<size_t>(t + 1)), mixed(static_cast<size_t>(size)), magnitude(mixed);
                    double most = -INFINITY, sum = 0;
                    for (int64_t j = 0; j <= t; ++j) {
                        for (int64_t d = 0; d < size; ++d)
                            score[size_t(j)] += double(at(q, t, heads, h)[d]) * at(k, j, keyHeads, shared)[d] * scale;
                        most = std::max(most, score[size_t(j)]);
                    }
                    for (double& s : score) sum += s = std::exp(s - most);
                    for (int64_t j = 0; j <= t; ++j)
                        for (int64_t d = 0; d < size; ++d) {
                            const double part = score[size_t(j)] / sum * at(v, j, keyHeads, shared)[d];
                            mixed[size_t(d)] += part;
                            magnitude[size_t(d)] += std::abs(part);
                        }
                    for (int64_t d = 0; d < size; ++d)
                        ASSERT_NEAR(at(out, t, heads, h)[d], mixed[size_t(d)], 4e-5 * magnitude[size_t(d)] + 1e-6)
                            << "window " << w << ", head " << h << ", token " << t << " of " << tokens << ", " << d;
                }
    }
}

INSTANTIATE_TEST_SUITE_P(Sets, DenseProduct,
                         testing::Values(InstructionSet::scalar, InstructionSet::avx2, InstructionSet::avx512));

TEST(DenseTileOfSixteenLanes, GivesEveryRowAndColumnItsSum) {
    const DenseTable& table = wide::denseTable;
    const int64_t steps = 9, width = table.panel;
    ASSERT_EQ(width, 32);
    const auto a = someFloats(table.rows * steps, 31), panel = someFloats(steps * width, 32), start = someFloats(width, 33);
    for (int rows = 1; rows <= table.rows; ++rows)
        for (bool add : {false, true}) {
            std::vector<float> out(size_t((table.rows + 1) * width), 0.25f);
            table.tile({a.data(), steps, 1, panel.data(), steps, out.data(), width, add ? nullptr : start.data()}, rows);
            for (int64_t r = 0; r <= table.rows; ++r)
                for (int64_t c = 0; c < width; ++c) {
                    double expected = add || r >= rows ? 0.25 : start[size_t(c)];
                    for (int64_t s = 0; r < rows && s < steps; ++s) expected += double(a[size_t(r * steps + s)]) * panel[size_t(s * width + c)];
                    ASSERT_NEAR(out[size_t(r * width + c)], expected, 1e-4) << rows << " rows: " << r << ", " << c;
                }
        }
}

}  // namespace
}  // namespace owq::kernels
