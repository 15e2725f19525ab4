// SPDX-License-Identifier: Apache-2.0
// A block of threads per row; a thread keeps every threads-th value.
#include "kernels/cuda/column_thread.h"
#include "kernels/cuda/quantize.cuh"
#include "kernels/cuda/search_thread.h"

namespace owq::kernels::cuda {
namespace {

constexpr int kMaxThreads = 256;
/// What fits into the shared memory that every GPU gives without asking, beside the sums. Longer rows are
/// read anew in each pass; they come from the caches.
constexpr int64_t kMaxStaged = 11264;

/// A row's values where they lie: times norm, and 0 in weak columns.
struct RowInPlace {
    const float* w;
    const uint8_t* excluded;
    float norm;
    __device__ float operator()(int j) const { return excluded && excluded[j] ? 0.0f : w[j] * norm; }
};

struct StagedRow {
    const float* x;
    __device__ float operator()(int j) const { return x[j]; }
};

/// Sums and maxima over the block, in a fixed order, the same bits in all threads. Two buffers in turn: who
/// writes one has seen everybody leave the other.
struct Team {
    double (*parts)[kMaxThreads / 32][6];
    int turn = 0;

    template <int kCount, class Join>
    __device__ void join(double (&value)[kCount], Join with) {
#pragma unroll
        for (int i = 0; i < kCount; ++i)
#pragma unroll
            for (int apart = 16; apart; apart /= 2)
                value[i] = with(value[i], __shfl_xor_sync(~0u, value[i], apart));
        const int warps = blockDim.x / 32;
        if (warps == 1) return;
        auto& part = parts[turn];
        turn ^= 1;
        if (threadIdx.x % 32 == 0)
#pragma unroll
            for (int i = 0; i < kCount; ++i) part[threadIdx.x / 32][i] = value[i];
        __syncthreads();
#pragma unroll
        for (int i = 0; i < kCount; ++i) value[i] = part[0][i];
        for (int w = 1; w < warps; ++w)
#pragma unroll
            for (int i = 0; i < kCount; ++i) value[i] = with(value[i], part[w][i]);
    }
};

struct Add {
    __device__ double operator()(double a, double b) const { return a + b; }
};
struct Larger {
    __device__ double operator()(double a, double b) const { return a < b ? b : a; }
};

template <class Values>
struct TeamRow {
    Team& team;
    Values values;
    int count, levels;

    __device__ Losses losses(float size, int zero) {
        Losses sums;
        addLosses(values, threadIdx.x, blockDim.x, count, size, zero, levels, sums);
        double all[6] = {sums.all[0],     sums.all[1],     sums.all[2],
                         sums.clipped[0], sums.clipped[1], sums.clipped[2]};
        team.join(all, Add());
#pragma unroll
        for (int i = 0; i < 3; ++i) sums.all[i] = all[i], sums.clipped[i] = all[i + 3];
        return sums;
    }
    __device__ double sumOfPowers() {
        double sum[1] = {cuda::sumOfPowers(values, threadIdx.x, blockDim.x, count)};
        team.join(sum, Add());
        return sum[0];
    }
};

template <class Values>
__device__ Candidate searchWith(Team& team, const Values& values, int count, const SearchRule& rule,
                                float low) {
    TeamRow<Values> row{team, values, count, rule.levels};
    return RowSearch<TeamRow<Values>>(row, rule).run(low);
}

template <bool kStaged>
__global__ void __launch_bounds__(kMaxThreads, 4) findGridOfRow(const OwqCudaGridSearch search) {
    extern __shared__ float staged[];
    __shared__ double parts[2][kMaxThreads / 32][6];
    Team team{parts};
    const int64_t r = blockIdx.x;
    const int count = int(search.columns);
    RowInPlace values{search.w + r * search.stride, search.excluded, 1};
    double ends[2] = {0, 0};  // -low, high
    for (int j = threadIdx.x; j < count; j += blockDim.x) {
        const double x = values(j);
        ends[0] = Larger()(ends[0], -x);
        ends[1] = Larger()(ends[1], x);
    }
    team.join(ends, Larger());
    const float low = -float(ends[0]), high = float(ends[1]);

    const GridKind kind{search.bits, search.steps, search.symmetric != 0, search.search != 0};
    Grid grid;
    if (kind.search) {
        const SearchRule rule(low, high, kind);
        Candidate best{1, rule.zeroFrom};
        if (rule.range > 0) {
            values.norm = rule.norm;
            if (kStaged) {
                // Each thread reads back only what it wrote itself.
                for (int j = threadIdx.x; j < count; j += blockDim.x) staged[j] = values(j);
                best = searchWith(team, StagedRow{staged}, count, rule, low);
            } else {
                best = searchWith(team, values, count, rule, low);
            }
        }
        grid = gridOf(rule, best, kind);
    } else {
        grid = minMaxGrid(low, high, kind);
    }
    if (threadIdx.x == 0) {
        search.scale[r * search.gridStride] = grid.scale;
        search.zero[r * search.gridStride] = grid.zero;
    }
}

__global__ void roundValues(const OwqCudaRounding rounding) {
    const int64_t r = blockIdx.x, count = rounding.columns;
    const float scale = rounding.scale[r], zero = rounding.zero[r], levels = float((1 << rounding.bits) - 1);
    for (int64_t c = threadIdx.x; c < count; c += blockDim.x) {
        float code = gridCode(rounding.w[r * rounding.stride + c], scale, zero, levels);
        if (code != code) code = 0;
        rounding.codes[r * count + c] = uint8_t(code);
        if (rounding.values) rounding.values[r * count + c] = scale * (code - zero);
    }
}

int threadsFor(int64_t columns) {
    return columns <= 512 ? 32 : columns <= 8192 ? 128 : kMaxThreads;
}

}  // namespace

cudaError_t findGrid(const OwqCudaGridSearch& search, cudaStream_t stream) {
    if (search.rows == 0) return cudaSuccess;
    const int threads = threadsFor(search.columns);
    if (search.search && search.columns <= kMaxStaged)
        findGridOfRow<true>
            <<<unsigned(search.rows), threads, size_t(search.columns) * sizeof(float), stream>>>(search);
    else
        findGridOfRow<false><<<unsigned(search.rows), threads, 0, stream>>>(search);
    return cudaGetLastError();
}

cudaError_t roundToGrid(const OwqCudaRounding& rounding, cudaStream_t stream) {
    if (rounding.rows == 0 || rounding.columns == 0) return cudaSuccess;
    roundValues<<<unsigned(rounding.rows), kMaxThreads, 0, stream>>>(rounding);
    return cudaGetLastError();
}

}  // namespace owq::kernels::cuda
