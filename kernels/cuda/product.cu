// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/product_thread.h"
#include "kernels/cuda/quantize.cuh"

namespace owq::kernels::cuda {
namespace {

/// Where an operand lies: element (k, m) at from[k * kStride + m * mStride], one of the strides being 1.
struct Operand {
    const float* from;
    int64_t kStride, mStride;
};

/// sum += x xᵀ, lower triangle.
struct Gram {
    Operand left, right;
    int64_t rows, columns, depth;
    float* sum;

    static constexpr bool kLeftRunsDown = true;  // neighbours in m lie side by side
    __device__ bool skips(int64_t m, int64_t n) const { return n > m; }
    __device__ void add(int64_t m, int64_t n, float value) const {
        if (n <= m) sum[m * columns + n] += value;
    }
};

/// out += factor left right.
struct Product {
    Operand left, right;
    int64_t rows, columns, depth;
    float* out;
    int64_t outStride;
    float factor;

    static constexpr bool kLeftRunsDown = false;
    __device__ bool skips(int64_t, int64_t) const { return false; }
    __device__ void add(int64_t m, int64_t n, float value) const { out[m * outStride + n] += factor * value; }
};

/// One thread's part of an operand's tile, fetched while the tiles before are being multiplied. Neighbouring
/// threads take what lies side by side: along m (kAlongM) or along k.
template <bool kAlongM>
struct Fetched {
    static constexpr int kEach = kProductTile * kProductDepth / kProductThreads;
    static constexpr int kSide = kAlongM ? kProductTile : kProductDepth;
    float value[kEach];

    static __device__ int m(int i) {
        return kAlongM ? threadIdx.x % kSide : threadIdx.x / kSide + i * (kProductThreads / kSide);
    }
    static __device__ int k(int i) {
        return kAlongM ? threadIdx.x / kSide + i * (kProductThreads / kSide) : threadIdx.x % kSide;
    }

    __device__ void fetch(const Operand& x, int64_t firstM, int64_t endM, int64_t firstK, int64_t endK) {
        const int countM = int(endM - firstM < kProductTile ? endM - firstM : kProductTile);
        const int countK = int(endK - firstK < kProductDepth ? endK - firstK : kProductDepth);
        const float* from = x.from + (firstK + k(0)) * x.kStride + (firstM + m(0)) * x.mStride;
        const int64_t step = (kAlongM ? x.kStride : x.mStride) * (kProductThreads / kSide);
#pragma unroll
        for (int i = 0; i < kEach; ++i, from += step) value[i] = m(i) < countM && k(i) < countK ? *from : 0;
    }
};

constexpr int kPadded = kProductTile + 4;  // keeps 16-byte alignment, spreads a column over the banks

struct Tiles {
    float left[kProductDepth][kPadded], right[kProductDepth][kPadded];
};

__device__ void loadFour(const float* from, float* to) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
}

template <class Problem>
__global__ void __launch_bounds__(kProductThreads, 2) multiplyTiles(const Problem p) {
    __shared__ alignas(16) Tiles tiles;
    const int64_t firstM = int64_t(blockIdx.x) * kProductTile, firstN = int64_t(blockIdx.y) * kProductTile;
    if (p.skips(firstM, firstN)) return;
    const int down = threadIdx.x / 16, across = threadIdx.x % 16;
    Fetched<Problem::kLeftRunsDown> left;
    Fetched<true> right;
    for (int64_t begin = 0; begin < p.depth; begin += kProductChain) {
        const int64_t end = p.depth - begin < kProductChain ? p.depth : begin + kProductChain;
        float sum[8][8] = {};
        left.fetch(p.left, firstM, p.rows, begin, end);
        right.fetch(p.right, firstN, p.columns, begin, end);
        for (int64_t k = begin; k < end; k += kProductDepth) {
            __syncthreads();  // the tiles before have been used
#pragma unroll
            for (int i = 0; i < right.kEach; ++i) {
                tiles.left[left.k(i)][left.m(i)] = left.value[i];
                tiles.right[right.k(i)][right.m(i)] = right.value[i];
            }
            __syncthreads();
            left.fetch(p.left, firstM, p.rows, k + kProductDepth, end);
            right.fetch(p.right, firstN, p.columns, k + kProductDepth, end);
#pragma unroll
            for (int d = 0; d < kProductDepth; ++d) {
                float a[8], b[8];
                loadFour(&tiles.left[d][productPlace(down, 0)], a);
                loadFour(&tiles.left[d][productPlace(down, 4)], a + 4);
                loadFour(&tiles.right[d][productPlace(across, 0)], b);
                loadFour(&tiles.right[d][productPlace(across, 4)], b + 4);
                addOuterProduct(a, b, sum);
            }
        }
#pragma unroll
        for (int i = 0; i < 8; ++i)
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                const int64_t m = firstM + productPlace(down, i), n = firstN + productPlace(across, j);
                if (m < p.rows && n < p.columns) p.add(m, n, sum[i][j]);
            }
    }
}

template <class Problem>
cudaError_t launch(const Problem& p, cudaStream_t stream) {
    const dim3 grid(unsigned((p.rows + kProductTile - 1) / kProductTile),
                    unsigned((p.columns + kProductTile - 1) / kProductTile));
    if (grid.x == 0 || grid.y == 0 || p.depth == 0) return cudaSuccess;
    multiplyTiles<<<grid, kProductThreads, 0, stream>>>(p);
    return cudaGetLastError();
}

}  // namespace

cudaError_t addGramFloat(const OwqCudaInputs& inputs, float* sum, cudaStream_t stream) {
    const int64_t n = inputs.columns;
    const Operand x{static_cast<const float*>(inputs.x), n, 1};
    return launch(Gram{x, x, n, n, inputs.tokens, sum}, stream);
}

cudaError_t addProduct(const OwqCudaProduct& p, cudaStream_t stream) {
    return launch(Product{{p.left, 1, p.leftStride},
                          {p.right, p.rightStride, 1},
                          p.rows,
                          p.columns,
                          p.depth,
                          p.out,
                          p.outStride,
                          p.factor},
                  stream);
}

}  // namespace owq::kernels::cuda
