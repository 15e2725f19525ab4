// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/inputs.cuh"

#include "kernels/cuda/api.h"
#include "kernels/cuda/tensor_core.cuh"

namespace owq::kernels::cuda {
namespace {

constexpr int kThreads = 1024;
static_assert(kPairColumns == kWarpLanes && kThreads % kPairColumns == 0, "a warp sums a pair of steps");
constexpr int kHeld = 12;  ///< inputs that a thread keeps between its two passes; more are read again

__device__ __forceinline__ float inputAt(const InputWork& work, int token, int column) {
    const int64_t at = int64_t(token) * work.columns + column;
    return work.type == OWQ_CUDA_F32 ? static_cast<const float*>(work.x)[at]
                                     : floatOfHalf(static_cast<const uint16_t*>(work.x)[at]);
}
/// The i-th that is not weak; 0 beyond the last.
__device__ __forceinline__ float keptInput(const InputWork& work, int token, int i) {
    return i < work.kept ? inputAt(work, token, keptColumn(work.weakColumns, work.weakCount, i)) : 0.0f;
}

/// Of all threads of the block, in a fixed order; join is commutative.
template <class T, class Join>
__device__ __forceinline__ T ofBlock(T value, T* shared, const Join& join) {
#pragma unroll
    for (int apart = 16; apart; apart /= 2) value = join(value, __shfl_xor_sync(~0u, value, apart));
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
    __syncthreads();
    value = shared[threadIdx.x % 32];
#pragma unroll
    for (int apart = 16; apart; apart /= 2) value = join(value, __shfl_xor_sync(~0u, value, apart));
    __syncthreads();
    return value;
}

/// Of a warp, each lane gets it; as tests/kernels/cuda_block.h adds up.
__device__ __forceinline__ float ofWarp(float value) {
#pragma unroll
    for (int apart = 16; apart; apart /= 2) value += __shfl_xor_sync(~0u, value, apart);
    return value;
}

/// One block a token. kGroups: zeros are of groups, whose inputs are summed by themselves.
template <bool kGroups>
__global__ void __launch_bounds__(kThreads, 1) makeHalves(const InputWork work) {
    __shared__ uint32_t sizes[32];
    __shared__ float sums[32];
    letNextBegin();
    const int token = blockIdx.x, thread = threadIdx.x;
    if (token == 0)
        for (int i = thread; i < work.counterCount; i += kThreads) work.counters[i] = 0;
    const auto largest = [](uint32_t a, uint32_t b) { return a > b ? a : b; };
    uint32_t size = 0, weakSize = 0;
    float held[kHeld];
#pragma unroll
    for (int h = 0; h < kHeld; ++h) held[h] = keptInput(work, token, thread + h * kThreads);
#pragma unroll
    for (int h = 0; h < kHeld; ++h) size = largest(size, magnitude(held[h]));
    for (int i = thread + kHeld * kThreads; i < work.kept; i += kThreads)
        size = largest(size, magnitude(keptInput(work, token, i)));
    for (int j = thread; j < work.weakInputCount; j += kThreads)
        weakSize = largest(weakSize, magnitude(inputAt(work, token, work.weakInputs[j])));
    const InputScale scale = inputScale(ofBlock(size, sizes, largest)),
                     weakScale = inputScale(ofBlock(weakSize, sizes, largest));

    const bool two = work.halves == 2;
    uint16_t* const high = work.out + int64_t(token) * work.halves * work.stretch;
    float sum = 0;
    const auto put = [&](int i, float input) {
        const TwoHalves x = splitInput(input, scale.there, two);
        high[i] = x.high;
        if (two) high[work.stretch + i] = x.low;
        if constexpr (kGroups) {
            // A warp has 32 neighbouring inputs: those of a pair of steps.
            const float highSum = ofWarp(floatOfHalf(x.high)),
                        lowSum = two ? ofWarp(floatOfHalf(x.low)) : 0.0f;
            if (thread % kPairColumns) return;
            const int pairs = work.stretch / kPairColumns;
            float* const sums = work.pairSums + int64_t(token) * work.halves * pairs + i / kPairColumns;
            sums[0] = highSum;
            if (two) sums[pairs] = lowSum;
        } else {
            sum += floatOfHalf(x.high) + floatOfHalf(x.low);
        }
    };
#pragma unroll
    for (int h = 0; h < kHeld; ++h)
        if (thread + h * kThreads < work.stretch) put(thread + h * kThreads, held[h]);
    for (int i = thread + kHeld * kThreads; i < work.stretch; i += kThreads)
        put(i, keptInput(work, token, i));
    uint16_t* const weakHigh = work.weakOut + int64_t(token) * work.halves * work.weakStretch;
    for (int j = thread; j < work.weakStretch; j += kThreads) {
        TwoHalves x{0, 0};
        if (j < work.weakInputCount)
            x = splitInput(inputAt(work, token, work.weakInputs[j]), weakScale.there, two);
        weakHigh[j] = x.high;
        if (two) weakHigh[work.weakStretch + j] = x.low;
    }
    if constexpr (!kGroups) sum = ofBlock(sum, sums, [](float a, float b) { return a + b; });
    if (thread == 0) work.tokens[token] = {scale.back, sum, weakScale.back};
}

}  // namespace

cudaError_t prepareInputs(const InputWork& work, int tokens, cudaStream_t stream) {
    if (work.pairSums)
        makeHalves<true><<<unsigned(tokens), kThreads, 0, stream>>>(work);
    else
        makeHalves<false><<<unsigned(tokens), kThreads, 0, stream>>>(work);
    return cudaGetLastError();
}

}  // namespace owq::kernels::cuda
