// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/matvec.cuh"

#include "kernels/cuda/matvec_thread.h"

namespace owq::kernels::cuda {
namespace {

/// Weights are read once: past the first-level cache, first to leave the second.
__device__ __forceinline__ void loadChunk(const uint32_t* words, int64_t chunk, int count, int lane,
                                          uint32_t* out) {
    const uint4* from = reinterpret_cast<const uint4*>(words) + chunk * (count / 4) * kTileRows + lane;
#pragma unroll
    for (int v = 0; v < count / 4; ++v) {
        const uint4 four = __ldcs(from + v * kTileRows);
        out[v * 4] = four.x, out[v * 4 + 1] = four.y, out[v * 4 + 2] = four.z, out[v * 4 + 3] = four.w;
    }
}

template <int kBits, int kTokens>
__global__ void __launch_bounds__(kWarps * 32)
    multiplyTile(const DeviceWeight weight, const uint16_t* __restrict__ x, int tokens,
                 float* __restrict__ y) {
    constexpr int kWords = chunkWords(kBits), kColumns = segmentColumns(kTokens);
    extern __shared__ FourFloats shared[];
    float* staged = shared[0].value;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int64_t tile = blockIdx.x, row = tile * kTileRows + lane, chunks = weight.chunks;
    const uint32_t* words = weight.words + tile * chunks * kWords * kTileRows;
    const ZeroPoints<kBits> zeros(weight.zero[row]);  // padded to whole tiles
    Sums<kTokens> sums;

    // The next chunk is always under way, also while inputs are staged.
    uint32_t next[kWords];
    if (warp < chunks) loadChunk(words, warp, kWords, lane, next);
    for (int64_t first = 0; first < weight.columns; first += kColumns) {
        __syncthreads();
        for (int i = threadIdx.x; i < kColumns * kTokens; i += kWarps * 32) {
            const int64_t column = first + i / kTokens;
            const int token = i % kTokens;
            if (column >= chunks * kChunk) break;
            staged[i] = column < weight.columns && token < tokens
                            ? stagedInput(kBits, int(column % 32), x[token * weight.columns + column])
                            : 0.0f;
        }
        __syncthreads();
        const int64_t begin = first / kChunk;
        for (int64_t chunk = begin + warp; chunk < begin + kColumns / kChunk && chunk < chunks;
             chunk += kWarps) {
            uint32_t now[kWords];
#pragma unroll
            for (int i = 0; i < kWords; ++i) now[i] = next[i];
            if (chunk + kWarps < chunks) loadChunk(words, chunk + kWarps, kWords, lane, next);
            addChunk<kBits, kTokens>(now, shared + (chunk - begin) * (kChunk * kTokens / 4), zeros, sums);
        }
    }

    // Weak columns: real weights, dealt out over the warps.
    float total[kTokens];
#pragma unroll
    for (int t = 0; t < kTokens; ++t) total[t] = sums.of(t) * weight.scale[row];
    for (int64_t j = warp; j < weight.weakCount; j += kWarps) {
        const int64_t at = j * weight.paddedRows + row;
        const float w = weight.weakHalf ? floatOfHalf(weight.weakHalf[at]) : weight.weakFloat[at];
        const int64_t column = weight.weakColumns[j];
#pragma unroll
        for (int t = 0; t < kTokens; ++t)
            if (t < tokens) total[t] = multiplyAdd(w, floatOfHalf(x[t * weight.columns + column]), total[t]);
    }

    // Sum over the warps in a fixed order: results repeat bit for bit.
    __syncthreads();
#pragma unroll
    for (int t = 0; t < kTokens; ++t) staged[(warp * kTokens + t) * 32 + lane] = total[t];
    __syncthreads();
    const int t = warp;
    if (t < kTokens && t < tokens && row < weight.rows) {
        float sum = weight.bias ? weight.bias[row] : 0.0f;
        for (int w = 0; w < kWarps; ++w) sum += staged[(w * kTokens + t) * 32 + lane];
        y[t * weight.rows + row] = sum;
    }
}

template <int kBits, int kTokens>
cudaError_t launch(const DeviceWeight& weight, const uint16_t* x, int tokens, float* y, cudaStream_t stream) {
    constexpr int kBytes = segmentColumns(kTokens) * kTokens * int(sizeof(float));
    const cudaError_t error = cudaFuncSetAttribute(multiplyTile<kBits, kTokens>,
                                                   cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
    if (error != cudaSuccess) return error;
    multiplyTile<kBits, kTokens>
        <<<unsigned(weight.paddedRows / kTileRows), kWarps * 32, kBytes, stream>>>(weight, x, tokens, y);
    return cudaGetLastError();
}

template <int kBits>
cudaError_t launchTokens(const DeviceWeight& weight, const uint16_t* x, int tokens, float* y,
                         cudaStream_t stream) {
    if (tokens == 1) return launch<kBits, 1>(weight, x, tokens, y, stream);
    if (tokens == 2) return launch<kBits, 2>(weight, x, tokens, y, stream);
    if (tokens <= 4) return launch<kBits, 4>(weight, x, tokens, y, stream);
    return launch<kBits, 8>(weight, x, tokens, y, stream);
}

}  // namespace

cudaError_t multiply(const DeviceWeight& weight, const uint16_t* x, int64_t batch, float* y,
                     cudaStream_t stream) {
    for (int64_t first = 0; first < batch; first += kMaxTokens) {
        const int tokens = int(batch - first < kMaxTokens ? batch - first : kMaxTokens);
        const uint16_t* in = x + first * weight.columns;
        float* out = y + first * weight.rows;
        const cudaError_t error = weight.bits == 3 ? launchTokens<3>(weight, in, tokens, out, stream)
                                                   : launchTokens<4>(weight, in, tokens, out, stream);
        if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

}  // namespace owq::kernels::cuda
