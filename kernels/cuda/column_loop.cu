// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/column_thread.h"
#include "kernels/cuda/quantize.cuh"

namespace owq::kernels::cuda {
namespace {

constexpr int kThreads = kLoopRows * kRowLanes;
static_assert(kThreads == kLoopColumns, "a thread per column sums the losses");

/// Eight columns and then, by recursion, those to their right: an index of w is a constant this way, and w
/// stays in registers.
template <int kAt>
__device__ __forceinline__ void quantizeFrom(const OwqCudaColumnBlock& block, const float* factor,
                                             int64_t row, bool real, int lane, float* w, float* lost) {
    if constexpr (kAt < kLaneColumns) {
        if (kAt * kRowLanes >= block.columns) return;  // for all threads alike
        const int column = kAt * kRowLanes + lane;
        const bool gathers = block.original, mine = real && column < block.columns;
        float scale = 1, zero = 0, pivot = 1, original = 0;
        if (mine) {
            const int64_t grid = row * block.gridStride + block.grid[column];
            scale = block.scale[grid];
            zero = block.zero[grid];
            pivot = block.pivot[column];
            if (gathers) original = block.original[row * block.originalStride + column];
        }
        const float levels = float((1 << block.bits) - 1);
        QuantizedValue mineDone;
#pragma unroll 1
        for (int turn = 0; turn < kRowLanes; ++turn) {
            const QuantizedValue q = quantizeValue(w[kAt], gathers, original, scale, zero, pivot, levels);
            if (lane == turn) mineDone = q;
            const float error = __shfl_sync(~0u, q.error, turn, kRowLanes);
            spreadError<kAt>(w, error, factor + loopStart(kAt) + turn * loopWidth(kAt) + lane);
        }
        if (mine) {
            block.w[row * block.wStride + column] = mineDone.value;
            block.error[row * block.errorStride + column] = mineDone.error;  // where original may have been
            block.codes[row * block.codeStride + column] = uint8_t(mineDone.code);
        }
        lost[column] = mine ? mineDone.lost : 0;
        quantizeFrom<kAt + 1>(block, factor, row, real, lane, w, lost);
    }
}

__global__ void __launch_bounds__(kThreads) quantizeRows(const OwqCudaColumnBlock block) {
    __shared__ float factor[kLoopFactor];
    __shared__ float lost[kLoopRows][kLoopColumns + kRowLanes];  // the rows of a warp in different banks
    const float sign = block.original ? -1 : 1;
    for (int j = 0; j < kLoopColumns; ++j) {
        const int k = threadIdx.x;
        if (k < j / kRowLanes * kRowLanes) continue;
        const bool inside = j < k && k < block.columns;
        factor[factorPlace(j, k)] = inside ? sign * block.factor[j * block.factorStride + k] : 0;
    }
    __syncthreads();

    const int lane = threadIdx.x % kRowLanes, inTile = threadIdx.x / kRowLanes;
    const int64_t firstRow = int64_t(blockIdx.x) * kLoopRows, row = firstRow + inTile;
    const bool real = row < block.rows;
    float w[kLaneColumns];
#pragma unroll
    for (int i = 0; i < kLaneColumns; ++i) {
        const int column = i * kRowLanes + lane;
        w[i] = real && column < block.columns ? block.w[row * block.wStride + column] : 0;
    }
    quantizeFrom<0>(block, factor, row, real, lane, w, lost[inTile]);
    __syncthreads();

    // A thread a column: squares summed in the order of the rows, as on the CPU.
    const int column = threadIdx.x;
    if (column >= block.columns) return;
    double loss = 0;
    for (int r = 0; r < kLoopRows && firstRow + r < block.rows; ++r) {
        const double e = lost[r][column];
        loss += e * e;
    }
    block.scratch[blockIdx.x * block.columns + column] = loss;
}

__global__ void sumLosses(const double* __restrict__ tiles, int64_t count, int columns,
                          double* __restrict__ loss) {
    const int column = threadIdx.x;
    if (column >= columns) return;
    double total = 0;
#pragma unroll 8
    for (int64_t t = 0; t < count; ++t) total += tiles[t * columns + column] / 2;
    loss[column] = total;
}

}  // namespace

cudaError_t quantizeBlock(const OwqCudaColumnBlock& block, cudaStream_t stream) {
    if (block.columns == 0) return cudaSuccess;
    const int64_t tiles = (block.rows + kLoopRows - 1) / kLoopRows;
    if (tiles) quantizeRows<<<unsigned(tiles), kThreads, 0, stream>>>(block);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess) return error;
    sumLosses<<<1, kLoopColumns, 0, stream>>>(block.scratch, tiles, int(block.columns), block.loss);
    return cudaGetLastError();
}

}  // namespace owq::kernels::cuda
