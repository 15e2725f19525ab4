// SPDX-License-Identifier: Apache-2.0
// Σ x xᵀ of 16-bit inputs on the tensor cores, which multiply them exactly and add in fp32. Their additions
// do not round to nearest, so one long chain would bias the diagonal, all of whose terms are positive; chains
// are at most kProductChain tokens, and each is added to the sum by an ordinary addition.
#include <cuda_bf16.h>
#include <mma.h>

#include "kernels/cuda/product_thread.h"
#include "kernels/cuda/quantize.cuh"

namespace owq::kernels::cuda {

cudaError_t addGramFloat(const OwqCudaInputs& inputs, float* sum, cudaStream_t stream);  // product.cu

namespace {

namespace wmma = nvcuda::wmma;

constexpr int kDepth = 32, kThreads = 256;
constexpr int kWidth = kProductTile + 8;  // halves of a staged token: spreads tokens over the banks
constexpr int kDownWarps = 2, kSquaresDown = 4, kSquaresAcross = 2;  // a warp makes 64 x 32 of the tile
constexpr int kEach = kDepth * kProductTile / 8 / kThreads;  // pieces of 16 bytes, a thread and operand

struct Tiles {
    uint16_t left[kDepth][kWidth], right[kDepth][kWidth];
};

/// A thread's part of both operands, on its way from memory.
struct Fetched {
    uint4 left[kEach], right[kEach];

    static __device__ int token(int i) { return (i * kThreads + threadIdx.x) / (kProductTile / 8); }
    static __device__ int column(int i) { return (i * kThreads + threadIdx.x) % (kProductTile / 8) * 8; }

    /// Columns are a multiple of 8: a piece is inside as a whole or not at all.
    static __device__ uint4 piece(const uint16_t* x, int64_t columns, int64_t token, int64_t column,
                                  int64_t end) {
        if (token >= end || column >= columns) return make_uint4(0, 0, 0, 0);
        return *reinterpret_cast<const uint4*>(x + token * columns + column);
    }
    __device__ void fetch(const uint16_t* x, int64_t columns, int64_t firstM, int64_t firstN, int64_t first,
                          int64_t end) {
#pragma unroll
        for (int i = 0; i < kEach; ++i) {
            left[i] = piece(x, columns, first + token(i), firstM + column(i), end);
            right[i] = piece(x, columns, first + token(i), firstN + column(i), end);
        }
    }
    __device__ void put(Tiles& tiles) const {
#pragma unroll
        for (int i = 0; i < kEach; ++i) {
            *reinterpret_cast<uint4*>(&tiles.left[token(i)][column(i)]) = left[i];
            *reinterpret_cast<uint4*>(&tiles.right[token(i)][column(i)]) = right[i];
        }
    }
};

template <class Half>
__global__ void __launch_bounds__(kThreads)
    addGramTile(const uint16_t* __restrict__ x, int64_t tokens, int64_t columns, float* __restrict__ sum) {
    __shared__ alignas(32) Tiles tiles;
    __shared__ alignas(32) float squares[kThreads / 32][16 * 16];
    const int64_t firstM = int64_t(blockIdx.x) * kProductTile, firstN = int64_t(blockIdx.y) * kProductTile;
    if (firstN > firstM) return;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int down = warp % kDownWarps * kSquaresDown * 16, across = warp / kDownWarps * kSquaresAcross * 16;

    Fetched next;
    for (int64_t begin = 0; begin < tokens; begin += kProductChain) {
        const int64_t end = tokens - begin < kProductChain ? tokens : begin + kProductChain;
        wmma::fragment<wmma::accumulator, 16, 16, 16, float> total[kSquaresDown][kSquaresAcross];
#pragma unroll
        for (int i = 0; i < kSquaresDown; ++i)
#pragma unroll
            for (int j = 0; j < kSquaresAcross; ++j) wmma::fill_fragment(total[i][j], 0.0f);

        next.fetch(x, columns, firstM, firstN, begin, end);
        for (int64_t first = begin; first < end; first += kDepth) {
            __syncthreads();  // the tiles before have been used
            next.put(tiles);
            __syncthreads();
            next.fetch(x, columns, firstM, firstN, first + kDepth, end);
#pragma unroll
            for (int k = 0; k < kDepth; k += 16) {
                wmma::fragment<wmma::matrix_b, 16, 16, 16, Half, wmma::row_major> right[kSquaresAcross];
#pragma unroll
                for (int j = 0; j < kSquaresAcross; ++j)
                    wmma::load_matrix_sync(
                        right[j], reinterpret_cast<const Half*>(&tiles.right[k][across + j * 16]), kWidth);
#pragma unroll
                for (int i = 0; i < kSquaresDown; ++i) {
                    // Tokens run across the transposed operand: staged as it is, it is in column order.
                    wmma::fragment<wmma::matrix_a, 16, 16, 16, Half, wmma::col_major> left;
                    wmma::load_matrix_sync(left, reinterpret_cast<const Half*>(&tiles.left[k][down + i * 16]),
                                           kWidth);
#pragma unroll
                    for (int j = 0; j < kSquaresAcross; ++j)
                        wmma::mma_sync(total[i][j], left, right[j], total[i][j]);
                }
            }
        }

        // Which lane holds what of a fragment is not told: through shared memory, a square at a time.
        float* square = squares[warp];
#pragma unroll
        for (int i = 0; i < kSquaresDown; ++i)
#pragma unroll
            for (int j = 0; j < kSquaresAcross; ++j) {
                wmma::store_matrix_sync(square, total[i][j], 16, wmma::mem_row_major);
                __syncwarp();
                for (int e = lane; e < 256; e += 32) {
                    const int64_t m = firstM + down + i * 16 + e / 16, n = firstN + across + j * 16 + e % 16;
                    if (m < columns && n <= m) sum[m * columns + n] += square[e];
                }
                __syncwarp();
            }
    }
}

constexpr int kMirrorTile = 32, kMirrorRows = 8;

__global__ void __launch_bounds__(kMirrorTile* kMirrorRows)
    mirror(float* sum, int64_t columns, float factor) {
    __shared__ float tile[kMirrorTile][kMirrorTile + 1];
    if (blockIdx.y > blockIdx.x) return;
    const int64_t down = int64_t(blockIdx.x) * kMirrorTile, across = int64_t(blockIdx.y) * kMirrorTile;
    for (int i = threadIdx.y; i < kMirrorTile; i += kMirrorRows) {
        const int64_t m = down + i, n = across + threadIdx.x;
        if (m < columns && n <= m) tile[i][threadIdx.x] = sum[m * columns + n] *= factor;
    }
    __syncthreads();
    for (int i = threadIdx.y; i < kMirrorTile; i += kMirrorRows) {
        const int64_t m = down + threadIdx.x, n = across + i;  // of the value; it goes to row n, column m
        if (m < columns && n < m) sum[n * columns + m] = tile[threadIdx.x][i];
    }
}

}  // namespace

cudaError_t addGram(const OwqCudaInputs& inputs, float* sum, cudaStream_t stream) {
    if (inputs.tokens == 0 || inputs.columns == 0) return cudaSuccess;
    if (inputs.type == OWQ_CUDA_F32) return addGramFloat(inputs, sum, stream);
    const unsigned tiles = unsigned((inputs.columns + kProductTile - 1) / kProductTile);
    const auto x = static_cast<const uint16_t*>(inputs.x);
    if (inputs.type == OWQ_CUDA_F16)
        addGramTile<__half>
            <<<dim3(tiles, tiles), kThreads, 0, stream>>>(x, inputs.tokens, inputs.columns, sum);
    else
        addGramTile<__nv_bfloat16>
            <<<dim3(tiles, tiles), kThreads, 0, stream>>>(x, inputs.tokens, inputs.columns, sum);
    return cudaGetLastError();
}

cudaError_t finishGram(float* sum, int64_t columns, float factor, cudaStream_t stream) {
    if (columns == 0) return cudaSuccess;
    const unsigned tiles = unsigned((columns + kMirrorTile - 1) / kMirrorTile);
    mirror<<<dim3(tiles, tiles), dim3(kMirrorTile, kMirrorRows), 0, stream>>>(sum, columns, factor);
    return cudaGetLastError();
}

}  // namespace owq::kernels::cuda
