// SPDX-License-Identifier: Apache-2.0
// The column loop (kernels/column_loop.h) on the GPU: eight lanes share a row, lane l holds its columns l,
// l + 8, l + 16 … in registers. The lane whose turn it is quantizes its column and hands the error to the
// other seven; each takes its share off its own columns. Each column so meets the same operations in the
// same order as on the CPU, and the results are equal to the bit.
#pragma once
#include "kernels/cuda/thread.h"

namespace owq::kernels::cuda {

constexpr int kRowLanes = 8;
constexpr int kLaneColumns = 16;                        ///< of one lane
constexpr int kLoopColumns = kRowLanes * kLaneColumns;  ///< of a block of columns, at most
constexpr int kLoopRows = 16;  ///< of a block of threads; the CPU sums losses over as many at a time

/// The block's square of the factor (negative where it gathers: shares are taken off) lies in shared memory
/// without what is left of the diagonal, but for the eight columns around it (zeros there): lanes that are
/// done subtract zeros instead of asking where they are. Place of row 8 i, column 8 i; its rows are
/// loopWidth(i) long.
OWQ_THREAD constexpr int loopStart(int i) {
    return kRowLanes * kRowLanes * (kLaneColumns * i - i * (i - 1) / 2);
}
OWQ_THREAD constexpr int loopWidth(int i) {
    return kLoopColumns - kRowLanes * i;
}
constexpr int kLoopFactor = loopStart(kLaneColumns);

/// Place of row j, column k >= 8 floor(j / 8).
OWQ_THREAD constexpr int factorPlace(int j, int k) {
    return loopStart(j / kRowLanes) + j % kRowLanes * loopWidth(j / kRowLanes) + k -
           j / kRowLanes * kRowLanes;
}

/// clamp(rint(w / scale) + zero, 0, levels); a NaN stays one. The magic-number rounding is only for small
/// numbers; large ones end at the grid's edge anyway.
OWQ_THREAD float gridCode(float w, float scale, float zero, float levels) {
    return clamped(rounded(clamped(w / scale, -4194000.0f, 4194000.0f)) + zero, 0.0f, levels);
}

struct QuantizedValue {
    float code = 0, value = 0;
    float error = 0;  ///< what other columns take a share of
    float lost = 0;   ///< (w - q) / pivot
};

/// `gathers` and `original`: the second form of kernels/column_loop.h.
OWQ_THREAD QuantizedValue quantizeValue(float w, bool gathers, float original, float scale, float zero,
                                        float pivot, float levels) {
    QuantizedValue q;
    q.code = gridCode(w, scale, zero, levels);
    const float onGrid = scale * (q.code - zero);
    q.lost = (w - onGrid) / pivot;
    q.value = gathers ? w - onGrid : onGrid;
    q.error = gathers ? original - onGrid : q.lost;
    return q;
}

/// Takes column j's error off a lane's columns kFrom = j / 8 and up: `factor` is at row j, column 8 kFrom +
/// lane.
template <int kFrom>
OWQ_THREAD void spreadError(float* w, float error, const float* factor) {
    OWQ_UNROLL for (int i = kFrom; i < kLaneColumns; ++i) w[i] =
        w[i] - error * factor[(i - kFrom) * kRowLanes];
}

}  // namespace owq::kernels::cuda
