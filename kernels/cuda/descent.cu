// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/descent_thread.h"
#include "kernels/cuda/quantize.cuh"

namespace owq::kernels::cuda {
namespace {

constexpr int kRowsOfBlock = 8;
static_assert(kDescentLanes * kDescentColumns == OWQ_CUDA_BLOCK_COLUMNS, "a warp holds a row");

/// 32 columns and then, by recursion, those to their right: an index of pull is a constant this way.
template <int kAt>
__device__ __forceinline__ void descendFrom(const OwqCudaDescent& b, int64_t row, int lane, float* pull) {
    if constexpr (kAt < kDescentColumns) {
        const int first = kAt * kDescentLanes, column = first + lane;
        if (first >= b.columns) return;  // for all lanes alike
        const bool mine = column < b.columns;
        float scale = 1, zero = 0, curve = 1, code = 0, change = 0;
        if (mine) {
            const int64_t grid = row * b.gridStride + b.grid[column];
            scale = b.scale[grid];
            zero = b.zero[grid];
            curve = b.hessian[column * b.hessianStride + column];
            code = float(b.codes[row * b.codeStride + column]);
        }
        const float levels = float((1 << b.bits) - 1);
#pragma unroll 1
        for (int turn = 0; turn < kDescentLanes && first + turn < b.columns; ++turn) {
            const DescentStep step = descend(pull[kAt], code, scale, zero, curve, levels);
            const float d = __shfl_sync(~0u, step.change, turn);
            if (d == 0) continue;  // for all lanes alike
            if (lane == turn) code = step.code, change = d;
            const float* from = b.hessian + (first + turn) * b.hessianStride;
#pragma unroll
            for (int i = kAt; i < kDescentColumns; ++i) {
                const int k = i * kDescentLanes + lane;
                if (k >= first + turn && k < b.columns) pull[i] = pull[i] - d * from[k];
            }
        }
        if (mine) {
            b.codes[row * b.codeStride + column] = uint8_t(code);
            b.change[row * b.changeStride + column] = change;
        }
        descendFrom<kAt + 1>(b, row, lane, pull);
    }
}

__global__ void __launch_bounds__(kRowsOfBlock* kDescentLanes) descendRows(const OwqCudaDescent b) {
    const int lane = threadIdx.x % kDescentLanes;
    const int64_t row = int64_t(blockIdx.x) * kRowsOfBlock + threadIdx.x / kDescentLanes;
    if (row >= b.rows) return;  // a warp as a whole
    float pull[kDescentColumns];
#pragma unroll
    for (int i = 0; i < kDescentColumns; ++i) {
        const int column = i * kDescentLanes + lane;
        pull[i] = column < b.columns ? b.pull[row * b.pullStride + column] : 0;
    }
    descendFrom<0>(b, row, lane, pull);
}

}  // namespace

cudaError_t descendBlock(const OwqCudaDescent& block, cudaStream_t stream) {
    if (block.rows == 0 || block.columns == 0) return cudaSuccess;
    const int64_t blocks = (block.rows + kRowsOfBlock - 1) / kRowsOfBlock;
    descendRows<<<unsigned(blocks), kRowsOfBlock * kDescentLanes, 0, stream>>>(block);
    return cudaGetLastError();
}

}  // namespace owq::kernels::cuda
