// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/packing_thread.h"
#include "kernels/cuda/quantize.cuh"

namespace owq::kernels::cuda {
namespace {

constexpr int kThreads = 256;

/// Neighbouring threads take neighbouring rows: the words of one place lie side by side.
template <int kBits>
__global__ void __launch_bounds__(kThreads)
    packGroups(const uint8_t* __restrict__ codes, int64_t rows, int64_t groups, int32_t* __restrict__ words) {
    const int64_t index = int64_t(blockIdx.x) * kThreads + threadIdx.x, group = index / rows,
                  row = index % rows;
    if (group >= groups) return;
    uint32_t packed[kBits];
    packGroup<kBits>(codes + (row * groups + group) * 32, packed);
#pragma unroll
    for (int i = 0; i < kBits; ++i) words[(group * kBits + i) * rows + row] = int32_t(packed[i]);
}

template <int kBits>
cudaError_t launch(const uint8_t* codes, int64_t rows, int64_t groups, int32_t* words, cudaStream_t stream) {
    const int64_t blocks = (rows * groups + kThreads - 1) / kThreads;
    if (blocks == 0) return cudaSuccess;
    packGroups<kBits><<<unsigned(blocks), kThreads, 0, stream>>>(codes, rows, groups, words);
    return cudaGetLastError();
}

}  // namespace

cudaError_t packCodes(const uint8_t* codes, int64_t rows, int64_t columns, int bits, int32_t* words,
                      cudaStream_t stream) {
    const int64_t groups = columns / 32;
    switch (bits) {
        case 2:
            return launch<2>(codes, rows, groups, words, stream);
        case 3:
            return launch<3>(codes, rows, groups, words, stream);
        case 4:
            return launch<4>(codes, rows, groups, words, stream);
        default:
            return launch<8>(codes, rows, groups, words, stream);
    }
}

}  // namespace owq::kernels::cuda
