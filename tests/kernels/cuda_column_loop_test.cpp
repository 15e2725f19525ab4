// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the GPU's column loop, run lane by lane on the host with the same functions.
#include <gtest/gtest.h>

#include "kernels/column_loop.h"
#include "kernels/cuda/column_thread.h"
#include "kernels/range_search.h"
#include "tests/kernels/quantize_case.h"

namespace owq::kernels {
namespace {

using namespace cuda;

/// kernels/cuda/column_loop.cu for one row: eight lanes in step.
template <int kAt>
void quantizeFrom(const LoopCase& p, const std::vector<float>& factor, int64_t row,
                  float (&w)[kRowLanes][kLaneColumns], LoopCase::Result& out, std::vector<float>& lost) {
    if constexpr (kAt < kLaneColumns) {
        if (kAt * kRowLanes >= p.columns) return;
        QuantizedValue done[kRowLanes];
        for (int turn = 0; turn < kRowLanes; ++turn) {
            QuantizedValue now[kRowLanes];
            for (int lane = 0; lane < kRowLanes; ++lane) {
                const int column = kAt * kRowLanes + lane;
                const bool mine = column < p.columns;
                const size_t grid = mine ? size_t(row * p.grids + p.grid[size_t(column)]) : 0;
                now[lane] =
                    quantizeValue(w[lane][kAt], p.gathers,
                                  mine && p.gathers ? p.original[size_t(row * p.columns + column)] : 0,
                                  mine ? p.scale[grid] : 1, mine ? p.zero[grid] : 0,
                                  mine ? p.pivot[size_t(column)] : 1, float((1 << p.bits) - 1));
            }
            done[turn] = now[turn];
            for (int lane = 0; lane < kRowLanes; ++lane)
                spreadError<kAt>(w[lane], now[turn].error,
                                 &factor[size_t(loopStart(kAt) + turn * loopWidth(kAt) + lane)]);
        }
        for (int64_t lane = 0, column = kAt * kRowLanes; lane < kRowLanes && column < p.columns;
             ++lane, ++column) {
            out.w[size_t(row * p.wStride() + column)] = done[lane].value;
            out.error[size_t(row * p.columns + column)] = done[lane].error;
            lost[size_t(row * p.columns + column)] = done[lane].lost;
            out.codes[size_t(row * p.columns + column)] = uint8_t(done[lane].code);
        }
        quantizeFrom<kAt + 1>(p, factor, row, w, out, lost);
    }
}

LoopCase::Result laneByLane(const LoopCase& p) {
    LoopCase::Result out = p.empty();
    std::vector<float> lost(out.error.size());
    std::vector<float> factor(kLoopFactor);
    for (int j = 0; j < kLoopColumns; ++j)
        for (int k = j / kRowLanes * kRowLanes; k < kLoopColumns; ++k)
            factor[size_t(factorPlace(j, k))] =
                j < k && k < p.columns
                    ? (p.gathers ? -1.0f : 1.0f) * p.factor[size_t(j * (p.columns + LoopCase::kBeside) + k)]
                    : 0;
    for (int64_t first = 0; first < p.rows; first += kLoopRows) {
        const int64_t end = std::min<int64_t>(p.rows, first + kLoopRows);
        for (int64_t row = first; row < end; ++row) {
            float w[kRowLanes][kLaneColumns];
            for (int c = 0; c < kLoopColumns; ++c)
                w[c % kRowLanes][c / kRowLanes] = c < p.columns ? p.w[size_t(row * p.wStride() + c)] : 0;
            quantizeFrom<0>(p, factor, row, w, out, lost);
        }
        for (int64_t c = 0; c < p.columns; ++c) {
            double loss = 0;
            for (int64_t row = first; row < end; ++row) {
                const double e = double(lost[size_t(row * p.columns + c)]);
                loss += e * e;
            }
            out.loss[size_t(c)] += loss / 2;
        }
    }
    return out;
}

TEST(CudaColumnLoopThread, EqualsTheCpuKernelToTheBit) {
    expectLoopEqualsCpu(laneByLane);
}

TEST(CudaColumnLoopThread, TheFactorIsPackedWithoutGapsOrOverlaps) {
    std::vector<int> used(kLoopFactor);
    for (int j = 0; j < kLoopColumns; ++j)
        for (int k = j / kRowLanes * kRowLanes; k < kLoopColumns; ++k) ++used.at(size_t(factorPlace(j, k)));
    for (int n : used) EXPECT_EQ(n, 1);
    EXPECT_EQ(factorPlace(13, 40), loopStart(1) + 5 * loopWidth(1) + 32);
}

TEST(CudaRoundingThread, EqualsTheCpuKernel) {
    for (const char* kind : kRowKinds)
        for (float scale : {1e-8f, 0.004f, 0.37f, 3e30f}) {
            const std::vector<float> w = rowOfKind(kind, 100, 3);
            const float zero = 5;
            std::vector<uint8_t> codes(100);
            std::vector<float> values(100);
            roundToGrid(w.data(), 1, 100, 100, &scale, &zero, 4, codes.data(), values.data());
            for (size_t c = 0; c < 100; ++c) {
                const float code = gridCode(w[c], scale, zero, 15);
                EXPECT_EQ(uint8_t(code), codes[c]) << kind << ", " << w[c];
                EXPECT_EQ(scale * (code - zero), values[c]);
            }
        }
}

}  // namespace
}  // namespace owq::kernels
