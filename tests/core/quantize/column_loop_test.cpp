// SPDX-License-Identifier: Apache-2.0
// The column loop against what theory says of it.
#include <gtest/gtest.h>

#include <cmath>

#include "core/quantize/quantize.h"
#include "kernels/cpu/features.h"
#include "kernels/thread_pool.h"
#include "tests/core/quantize/problem.h"

namespace owq {
namespace {

/// OPTQ in its other form (QuIP: OPTQ = LDLQ), all in doubles: H = R Rᵀ with R upper triangular, and column k is rounded after
/// Σ_{j<k} (w_j - q_j) R_jk / R_kk is added.
std::vector<uint8_t> ldlCodes(const Problem& p, const LinearOutcome& outcome, double damping) {
    const std::vector<int32_t>& order = outcome.statistics.order;
    const int64_t n = p.columns, kept = n - int64_t(outcome.weight.weakColumns.size());
    const std::vector<double> h = p.damped(damping);
    std::vector<double> r(n * n, 0);
    for (int64_t k = n - 1; k >= 0; k--) {
        for (int64_t j = 0; j <= k; j++) {
            double value = h[order[j] * n + order[k]];
            for (int64_t l = k + 1; l < n; l++) value -= r[j * n + l] * r[k * n + l];
            r[j * n + k] = value;  // times R_kk
        }
        const double pivot = std::sqrt(r[k * n + k]);
        for (int64_t j = 0; j <= k; j++) r[j * n + k] /= pivot;
    }
    const double top = double((1 << outcome.weight.bits) - 1);
    std::vector<uint8_t> codes(p.rows * n);
    for (int64_t row = 0; row < p.rows; row++) {
        const double scale = outcome.weight.scale[row], zero = outcome.weight.zero[row];
        std::vector<double> error(kept);
        for (int64_t k = 0; k < kept; k++) {
            const double w = p.weight[row * n + order[k]];
            double moved = w;
            for (int64_t j = 0; j < k; j++) moved += error[j] * r[j * n + k] / r[k * n + k];
            const double code = std::clamp(std::nearbyint(moved / scale) + zero, 0., top);
            codes[row * n + order[k]] = uint8_t(code);
            error[k] = w - scale * (code - zero);
        }
    }
    for (int64_t row = 0; row < p.rows; row++)
        for (int32_t c : outcome.weight.weakColumns) codes[row * n + c] = uint8_t(outcome.weight.zero[row]);
    return codes;
}

LinearOutcome quantize(const Problem& p, const LinearRecipe& recipe) {
    return quantizeLinear(p.weight.data(), p.rows, p.columns, p.hessian.data(), recipe);
}

TEST(ColumnLoop, EqualsTheLdlForm) {
    for (int64_t columns : {40, 128, 300}) {
        for (int64_t weak : {0, 6}) {
            for (bool actOrder : {false, true}) {
                const Problem p(33, columns, columns / 2);
                const LinearOutcome outcome = quantize(p, {.weakColumns = weak, .actOrder = actOrder, .storedType = DType::f32});
                const std::vector<uint8_t> want = ldlCodes(p, outcome, 0.01);
                int64_t equal = 0;
                for (size_t i = 0; i < want.size(); i++) equal += want[i] == outcome.weight.codes[i];
                EXPECT_GE(double(equal), 0.999 * double(want.size())) << columns << " " << weak << " " << actOrder;
            }
        }
    }
}

/// After the loop no change of the weak columns could lower the loss: (Ŵ - W) H vanishes on them.
TEST(ColumnLoop, WeakColumnsEndAtTheOptimum) {
    for (int64_t weak : {1, 5, 63}) {
        const Problem p(20, 64, 200);
        const LinearOutcome outcome = quantize(p, {.weakColumns = weak, .storedType = DType::f32});
        const std::vector<float> result = dequantize(outcome.weight);
        const std::vector<double> h = p.damped(0.01);
        for (int64_t r = 0; r < p.rows; r++) {
            for (int32_t c : outcome.weight.weakColumns) {
                double gradient = 0, size = 0, noise = 0;  // of the weights' own fp32 rounding
                for (int64_t j = 0; j < 64; j++) {
                    const double term = (double(result[r * 64 + j]) - p.weight[r * 64 + j]) * h[j * 64 + c];
                    gradient += term;
                    size += std::abs(term);
                    noise += std::abs(p.weight[r * 64 + j] * h[j * 64 + c]) * 1e-7;
                }
                EXPECT_LE(std::abs(gradient), 1e-4 * size + noise) << weak << " row " << r << " column " << c;
            }
        }
    }
}

/// Σ (w - q)² / U_jj² over the loop is the loss tr(ΔW H ΔWᵀ) that it minimises.
TEST(ColumnLoop, ErrorIsTheQuadraticLoss) {
    for (int64_t weak : {0, 4}) {
        const Problem p(24, 150, 400);
        const LinearOutcome outcome = quantize(p, {.weakColumns = weak, .storedType = DType::f32});
        const std::vector<float> result = dequantize(outcome.weight);
        const std::vector<double> h = p.damped(0.01);
        double loss = 0;
        for (int64_t r = 0; r < p.rows; r++) {
            for (int64_t i = 0; i < 150; i++) {
                const double d = double(result[r * 150 + i]) - p.weight[r * 150 + i];
                for (int64_t j = 0; j < 150; j++)
                    loss += d * h[i * 150 + j] * (double(result[r * 150 + j]) - p.weight[r * 150 + j]);
            }
        }
        EXPECT_NEAR(outcome.error / (loss / 2), 1, 1e-3);
        double sum = 0;
        for (float part : outcome.statistics.columnLoss) sum += part;
        EXPECT_NEAR(sum / outcome.error, 1, 1e-5);
        EXPECT_EQ(int64_t(outcome.statistics.columnLoss.size()), 150 - weak);
    }
}

TEST(ColumnLoop, SameBitsForThreadsAndInstructionSets) {
    const Problem p(50, 300, 100);
    for (int64_t group : {0, 64}) {
        const LinearRecipe recipe{.weakColumns = 4, .groupSize = group};
        std::vector<LinearOutcome> all;
        for (kernels::InstructionSet set : {kernels::InstructionSet::scalar, kernels::InstructionSet::avx2}) {
            kernels::limitInstructionSet(set);
            for (int count : {1, 2, 5}) {
                kernels::setThreads(count);
                all.push_back(quantize(p, recipe));
            }
        }
        kernels::setThreads(0);
        for (const LinearOutcome& o : all) {
            EXPECT_EQ(o.weight.codes, all[0].weight.codes);
            EXPECT_EQ(o.weight.scale, all[0].weight.scale);
            EXPECT_EQ(o.weight.zero, all[0].weight.zero);
            EXPECT_EQ(o.weight.weakWeight, all[0].weight.weakWeight);
            EXPECT_EQ(o.statistics.columnLoss, all[0].statistics.columnLoss);
            EXPECT_EQ(o.statistics.columnError, all[0].statistics.columnError);
            EXPECT_EQ(o.error, all[0].error);
        }
    }
}

/// Mid-block groups read the weights as they stood when the block began, like the authors' code.
TEST(ColumnLoop, GroupGridsAreFoundOnTheWeightsAsTheyStand) {
    const Problem p(30, 256, 600);
    const LinearOutcome plain = quantize(p, {.method = Method::rtn, .searchGrid = false, .groupSize = 32});
    const LinearOutcome looped = quantize(p, {.method = Method::optq, .searchGrid = false, .groupSize = 32});
    for (int64_t r = 0; r < 30; r++) {
        for (int64_t g = 0; g < 4; g++) EXPECT_EQ(looped.weight.scale[r * 8 + g], plain.weight.scale[r * 8 + g]);
    }
    EXPECT_NE(looped.weight.scale, plain.weight.scale);
    EXPECT_LT(looped.error, plain.error);
}

}  // namespace
}  // namespace owq
