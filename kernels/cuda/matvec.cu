// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/matvec.cuh"

namespace owq::kernels::cuda {
namespace {

/// On GPUs where a kernel may begin early: lets the next one begin, and waits for the one before.
__device__ __forceinline__ void letNextBegin() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}
__device__ __forceinline__ void waitForLast() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// ---- inputs to halves ----

constexpr int kInputThreads = 1024;

struct InputWork {
    const void* x;
    int32_t type;
    int halves;
    int64_t columns, kept;
    const int32_t *weakColumns, *weakInputs;
    int64_t weakCount, weakInputCount;
    uint16_t *out, *weakOut;
    int64_t stretch, weakStretch;
    TokenFacts* tokens;
    int32_t* counters;
    int64_t counterCount;
};

__device__ __forceinline__ float inputAt(const InputWork& work, int64_t token, int64_t column) {
    const int64_t at = token * work.columns + column;
    return work.type == OWQ_CUDA_F32 ? static_cast<const float*>(work.x)[at]
                                     : floatOfHalf(static_cast<const uint16_t*>(work.x)[at]);
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

/// One block a token.
__global__ void __launch_bounds__(kInputThreads, 1) prepareInputs(const InputWork work) {
    __shared__ uint32_t sizes[32];
    __shared__ float sums[32];
    letNextBegin();
    const int64_t token = blockIdx.x;
    if (token == 0)
        for (int64_t i = threadIdx.x; i < work.counterCount; i += kInputThreads) work.counters[i] = 0;
    const auto largest = [](uint32_t a, uint32_t b) { return a > b ? a : b; };
    uint32_t size = 0, weakSize = 0;
#pragma unroll 4
    for (int64_t i = threadIdx.x; i < work.kept; i += kInputThreads)
        size =
            largest(size, magnitude(inputAt(work, token, keptColumn(work.weakColumns, work.weakCount, i))));
    for (int64_t j = threadIdx.x; j < work.weakInputCount; j += kInputThreads)
        weakSize = largest(weakSize, magnitude(inputAt(work, token, work.weakInputs[j])));
    const InputScale scale = inputScale(ofBlock(size, sizes, largest)),
                     weakScale = inputScale(ofBlock(weakSize, sizes, largest));

    const bool two = work.halves == 2;
    uint16_t* const high = work.out + token * work.halves * work.stretch;
    float sum = 0;
#pragma unroll 4
    for (int64_t i = threadIdx.x; i < work.stretch; i += kInputThreads) {
        TwoHalves x{0, 0};
        if (i < work.kept)
            x = splitInput(inputAt(work, token, keptColumn(work.weakColumns, work.weakCount, i)), scale.there,
                           two);
        high[i] = x.high;
        if (two) high[work.stretch + i] = x.low;
        sum += floatOfHalf(x.high) + floatOfHalf(x.low);
    }
    uint16_t* const weakHigh = work.weakOut + token * work.halves * work.weakStretch;
    for (int64_t j = threadIdx.x; j < work.weakStretch; j += kInputThreads) {
        TwoHalves x{0, 0};
        if (j < work.weakInputCount)
            x = splitInput(inputAt(work, token, work.weakInputs[j]), weakScale.there, two);
        weakHigh[j] = x.high;
        if (two) weakHigh[work.weakStretch + j] = x.low;
    }
    sum = ofBlock(sum, sums, [](float a, float b) { return a + b; });
    if (threadIdx.x == 0) work.tokens[token] = {scale.back, sum, weakScale.back};
}

// ---- the product ----

__device__ __forceinline__ void multiplyStep(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0,
                                             uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
__device__ __forceinline__ void multiplyWeakStep(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t b0) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a0), "r"(a1), "r"(b0));
}

__device__ __forceinline__ uint32_t sharedAddress(const void* p) {
    return uint32_t(__cvta_generic_to_shared(p));
}
/// 16 bytes on their way to shared memory, first to leave the second-level cache again: weights are read
/// once.
__device__ __forceinline__ void fetchOnce(uint32_t to, const void* from, uint64_t policy) {
    asm volatile("cp.async.cg.shared.global.L2::cache_hint [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
                 "l"(policy)
                 : "memory");
}
__device__ __forceinline__ void fetch(uint32_t to, const void* from) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}
__device__ __forceinline__ void endFetches() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int kUnderWay>
__device__ __forceinline__ void awaitFetches() {
    asm volatile("cp.async.wait_group %0;" ::"n"(kUnderWay) : "memory");
}
__device__ __forceinline__ uint4 readShared(uint32_t from) {
    uint4 v;
    asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "r"(from)
                 : "memory");
    return v;
}

struct MatvecWork {
    const uint32_t* words;
    const RowFacts* rowFacts;
    const uint32_t* weakWords;
    const uint16_t *x, *weakX;
    const TokenFacts* tokenFacts;
    float *y, *sums;
    int32_t* counters;
    int64_t rows, tiles, stretch, weakStretch;
    int32_t units, unitsOfPart, parts, stretches, weakPairs, weakSteps, tokens, halves;
};

/// Dynamic shared memory as matvecShared says. Blocks of one stretch of tiles are neighbours.
template <int kBits, int kTokenTiles>
__global__ void __launch_bounds__(kMatvecThreads, kTokenTiles <= 2 ? 2 : 1)
    multiplyTiles(const MatvecWork work) {
    constexpr int kRing = ringUnits(kBits), kSets = setCount(kBits);
    constexpr int kUnitBytes = unitWords(kBits) * 4, kVectorBytes = kWarpLanes * 16;
    extern __shared__ __align__(128) unsigned char shared[];
    __shared__ TokenFacts tokenFacts[kMostInputs];
    __shared__ bool isLast;
    const int lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    const int part = blockIdx.x % work.parts, stretch = blockIdx.x / work.parts;
    const int64_t firstTile = work.tiles * stretch / work.stretches;
    const int tiles = int(work.tiles * (stretch + 1) / work.stretches - firstTile);
    const int firstUnit = part * work.unitsOfPart, inputs = work.tokens * work.halves;
    const bool lastPart = part == work.parts - 1;
    const TileItems items{lastPart ? work.units - firstUnit : work.unitsOfPart,
                          lastPart ? work.weakSteps : 0};
    const MatvecShared place = matvecShared(kBits, inputs, work.unitsOfPart, work.weakSteps);

    // A lane reads back what it has fetched itself, so rings need no barrier.
    uint64_t policy;
    asm("createpolicy.fractional.L2::evict_first.b64 %0;" : "=l"(policy));
    const uint32_t ring = sharedAddress(shared + place.ring) + warp * kRing * kUnitBytes + lane * 16;
    const char* const words = reinterpret_cast<const char*>(work.words) +
                              (firstTile * work.units + firstUnit) * int64_t(kUnitBytes) + lane * 16;
    int nextTile = 0, nextUnit = items.phase(warp, 0), nextPlace = 0;
    const auto fetchUnit = [&] {
        while (nextTile < tiles && nextUnit >= items.units) nextUnit = items.phase(warp, ++nextTile);
        if (nextTile < tiles) {
            const char* const from = words + (int64_t(nextTile) * work.units + nextUnit) * kUnitBytes;
#pragma unroll
            for (int v = 0; v < kBits; ++v)
                fetchOnce(ring + nextPlace * kUnitBytes + v * kVectorBytes, from + v * kVectorBytes, policy);
            nextUnit += kMatvecWarps;
        }
        nextPlace = nextPlace + 1 == kRing ? 0 : nextPlace + 1;
        endFetches();
    };
#pragma unroll
    for (int i = 0; i < kRing - 1; ++i) fetchUnit();

    waitForLast();
    const int64_t rowBytes = work.stretch * 2;
    const int pieces = items.units * (kPackUnit * 2 / 16), weakPieces = int(place.weakStretch / 16);
    for (int i = threadIdx.x; i < inputs * pieces; i += kMatvecThreads) {
        const int input = i / pieces, piece = i % pieces;
        fetch(sharedAddress(shared) + uint32_t(input * place.stretch) + piece * 16,
              reinterpret_cast<const char*>(work.x) + input * rowBytes + firstUnit * (kPackUnit * 2) +
                  piece * 16);
    }
    for (int i = threadIdx.x; i < inputs * weakPieces; i += kMatvecThreads)
        fetch(sharedAddress(shared + place.weak) + i * 16, reinterpret_cast<const char*>(work.weakX) +
                                                               i / weakPieces * (work.weakStretch * 2) +
                                                               i % weakPieces * 16);
    for (int t = threadIdx.x; t < work.tokens; t += kMatvecThreads) {
        tokenFacts[t] = work.tokenFacts[t];
        if (!lastPart)
            tokenFacts[t].sum = 0;  // the last part takes off what zero points are to be multiplied with
    }
    endFetches();
    awaitFetches<0>();
    __syncthreads();

    // Where there are fewer inputs than columns of the right operand, the last one is multiplied again.
    uint32_t input[kTokenTiles];
    int inputOf[kTokenTiles];
#pragma unroll
    for (int n = 0; n < kTokenTiles; ++n) {
        inputOf[n] = min(n * kTokenTile + lane / 4, inputs - 1);
        input[n] = sharedAddress(shared) + uint32_t(inputOf[n] * place.stretch) + lane % 4 * 16;
    }

    int herePlace = 0;
    for (int tile = 0; tile < tiles; ++tile) {
        const int phase = items.phase(warp, tile), firstWeak = items.firstWeak(phase);
        const int64_t row = (firstTile + tile) * kTileRows;
        // Asked for now, used at the tile's end.
        const uint32_t* const weakWords =
            work.weakWords + (firstTile + tile) * work.weakPairs * kTileRows + lane / 4;
        uint32_t weak[2] = {0, 0};
        if (firstWeak < items.weakSteps && firstWeak * 4 + lane % 4 < work.weakPairs) {
            weak[0] = __ldcs(weakWords + (firstWeak * 4 + lane % 4) * kTileRows);
            weak[1] = __ldcs(weakWords + (firstWeak * 4 + lane % 4) * kTileRows + 8);
        }
        const RowFacts facts = work.rowFacts[row + threadIdx.x % kTileRows];

        float total[kTokenTiles][4] = {};
        for (int unit = phase; unit < items.units; unit += kMatvecWarps) {
            awaitFetches<kRing - 2>();
            uint32_t packed[kBits][4];
#pragma unroll
            for (int v = 0; v < kBits; ++v) {
                const uint4 four = readShared(ring + herePlace * kUnitBytes + v * kVectorBytes);
                packed[v][0] = four.x, packed[v][1] = four.y, packed[v][2] = four.z, packed[v][3] = four.w;
            }
            herePlace = herePlace + 1 == kRing ? 0 : herePlace + 1;
            fetchUnit();
            float sums[kTokenTiles][kSets][4] = {};
#pragma unroll
            for (int pair = 0; pair < kUnitSteps / 2; ++pair) {
                uint4 x[kTokenTiles];
#pragma unroll
                for (int n = 0; n < kTokenTiles; ++n)
                    x[n] = readShared(input[n] + unit * (kPackUnit * 2) + pair * 64);
#pragma unroll
                for (int odd = 0; odd < 2; ++odd) {
                    const int step = pair * 2 + odd;
                    uint32_t a[4];
#pragma unroll
                    for (int j = 0; j < 4; ++j) a[j] = operand<kBits>(&packed[0][j], step);
#pragma unroll
                    for (int n = 0; n < kTokenTiles; ++n)
                        multiplyStep(sums[n][stepSet<kBits>(step)], a, odd ? x[n].z : x[n].x,
                                     odd ? x[n].w : x[n].y);
                }
            }
#pragma unroll
            for (int n = 0; n < kTokenTiles; ++n)
#pragma unroll
                for (int i = 0; i < 4; ++i) total[n][i] = joinSets<kBits>(&sums[n][0][i], 4, total[n][i]);
        }

        float* const slots = reinterpret_cast<float*>(shared + place.sums + (tile & 1) * place.tileSums);
        constexpr int kSlot = kTokenTiles * kTileRows * kTokenTile;
        const auto put = [&](int slot, const float(&sum)[kTokenTiles][4]) {
#pragma unroll
            for (int n = 0; n < kTokenTiles; ++n) {
                float* const at = slots + slot * kSlot + n * (kTileRows * kTokenTile) +
                                  lane / 4 * kTokenTile + lane % 4 * 2;
                *reinterpret_cast<float2*>(at) = make_float2(sum[n][0], sum[n][1]);
                *reinterpret_cast<float2*>(at + 8 * kTokenTile) = make_float2(sum[n][2], sum[n][3]);
            }
        };
        if (phase < items.units) put(phase, total);
        if (firstWeak < items.weakSteps) {
            float weakTotal[kTokenTiles][4] = {};
            for (int step = firstWeak; step < items.weakSteps; step += kMatvecWarps) {
                if (step != firstWeak) {
                    const bool there = step * 4 + lane % 4 < work.weakPairs;
                    weak[0] = there ? __ldcs(weakWords + (step * 4 + lane % 4) * kTileRows) : 0;
                    weak[1] = there ? __ldcs(weakWords + (step * 4 + lane % 4) * kTileRows + 8) : 0;
                }
#pragma unroll
                for (int n = 0; n < kTokenTiles; ++n) {
                    const int at = step * kWeakStep + lane % 4 * 2;
                    const void* const x =
                        step < kStagedWeakSteps
                            ? static_cast<const void*>(shared + place.weak + inputOf[n] * place.weakStretch +
                                                       at * 2)
                            : static_cast<const void*>(work.weakX + inputOf[n] * work.weakStretch + at);
                    multiplyWeakStep(weakTotal[n], weak[0], weak[1], *static_cast<const uint32_t*>(x));
                }
            }
            put(kMatvecWarps + firstWeak, weakTotal);
        }
        // One barrier a tile: sums of the next tile lie elsewhere, and of the one after it come behind the
        // next barrier.
        __syncthreads();
        for (int o = threadIdx.x; o < kTileRows * work.tokens; o += kMatvecThreads) {
            const int token = o / kTileRows;
            float sum = 0, weakSum = 0;
            for (int h = 0; h < work.halves; ++h) {
                const int column = token * work.halves + h;
                const float* const at = slots + column / kTokenTile * (kTileRows * kTokenTile) +
                                        o % kTileRows * kTokenTile + column % kTokenTile;
                for (int p = 0; p < items.unitPhases(); ++p) sum += at[p * kSlot];
                for (int p = 0; p < items.weakPhases(); ++p) weakSum += at[(kMatvecWarps + p) * kSlot];
            }
            RowFacts mine = facts;
            if (!lastPart) mine.bias = 0;
            if (row + o % kTileRows < work.rows) {
                float* const to =
                    work.parts == 1 ? work.y : work.sums + int64_t(part) * work.tokens * work.rows;
                to[int64_t(token) * work.rows + row + o % kTileRows] =
                    finished(sum, weakSum, mine, tokenFacts[token]);
            }
        }
    }

    // Who of a stretch's blocks comes last adds its parts up, in their order.
    if (work.parts == 1) return;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) isLast = atomicAdd(&work.counters[stretch], 1) == work.parts - 1;
    __syncthreads();
    if (!isLast) return;
    __threadfence();
    const int64_t firstRow = firstTile * kTileRows;
    const int count = int(min(int64_t(tiles) * kTileRows, work.rows - firstRow));
    for (int o = threadIdx.x; o < count * work.tokens; o += kMatvecThreads) {
        const int64_t at = int64_t(o / count) * work.rows + firstRow + o % count;
        float sum = 0;
        for (int p = 0; p < work.parts; ++p)
            sum += __ldcg(work.sums + int64_t(p) * work.tokens * work.rows + at);
        work.y[at] = sum;
    }
}

template <int kBits, int kTokenTiles>
cudaError_t launch(const MatvecWork& work, const MatvecPlan& plan, const GpuLimits& gpu,
                   cudaStream_t stream) {
    const auto kernel = multiplyTiles<kBits, kTokenTiles>;
    const cudaError_t error =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(plan.shared));
    if (error != cudaSuccess) return error;
    cudaLaunchAttribute early{};
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(unsigned(plan.blocks()));
    config.blockDim = dim3(kMatvecThreads);
    config.dynamicSmemBytes = size_t(plan.shared);
    config.stream = stream;
    config.attrs = &early;
    config.numAttrs = gpu.overlapsLaunches ? 1 : 0;
    return cudaLaunchKernelEx(&config, kernel, work);
}

template <int kBits>
cudaError_t launchTiles(const MatvecWork& work, const MatvecPlan& plan, const GpuLimits& gpu,
                        cudaStream_t stream) {
    if (plan.tokenTiles == 1) return launch<kBits, 1>(work, plan, gpu, stream);
    if (plan.tokenTiles == 2) return launch<kBits, 2>(work, plan, gpu, stream);
    return launch<kBits, 4>(work, plan, gpu, stream);
}

cudaError_t multiplyFew(const DeviceWeight& weight, const OwqCudaVectors& v, int64_t first, int tokens,
                        cudaStream_t stream) {
    const MatvecShape& shape = weight.shape;
    const MatvecPlan plan = planMatvec(shape, tokens * v.halves, weight.gpu);
    if (!plan.shared) return cudaErrorInvalidConfiguration;
    const MatvecWorkspace place =
        matvecWorkspace(shape, tokens * v.halves, tokens, plan.parts, plan.stretches);
    char* const space = static_cast<char*>(v.workspace);
    const auto halves = reinterpret_cast<uint16_t*>(space),
               weakHalves = reinterpret_cast<uint16_t*>(space + place.weak);
    const auto facts = reinterpret_cast<TokenFacts*>(space + place.tokens);
    const auto counters = reinterpret_cast<int32_t*>(space + place.counters);
    const char* const x =
        static_cast<const char*>(v.x) + first * shape.columns * (v.type == OWQ_CUDA_F32 ? 4 : 2);
    const InputWork in{x,
                       v.type,
                       v.halves,
                       shape.columns,
                       shape.kept,
                       weight.weakColumns,
                       weight.weakInputs,
                       weight.weakCount,
                       shape.weakInputs,
                       halves,
                       weakHalves,
                       place.stretch,
                       place.weakStretch,
                       facts,
                       counters,
                       plan.stretches};
    prepareInputs<<<unsigned(tokens), kInputThreads, 0, stream>>>(in);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess) return error;
    const MatvecWork work{weight.words,
                          weight.rows,
                          weight.weakWords,
                          halves,
                          weakHalves,
                          facts,
                          v.y + first * shape.rows,
                          reinterpret_cast<float*>(space + place.sums),
                          counters,
                          shape.rows,
                          shape.tiles(),
                          place.stretch,
                          place.weakStretch,
                          int32_t(shape.units()),
                          int32_t(plan.unitsOfPart),
                          int32_t(plan.parts),
                          int32_t(plan.stretches),
                          int32_t(shape.weakPairs()),
                          int32_t(shape.weakSteps()),
                          tokens,
                          v.halves};
    switch (shape.bits) {
        case 2:
            return launchTiles<2>(work, plan, weight.gpu, stream);
        case 3:
            return launchTiles<3>(work, plan, weight.gpu, stream);
        case 4:
            return launchTiles<4>(work, plan, weight.gpu, stream);
        default:
            return launchTiles<8>(work, plan, weight.gpu, stream);
    }
}

}  // namespace

size_t workspaceBytes(const DeviceWeight& weight, int64_t batch, int32_t halves) {
    int64_t most = 0;
    const int64_t atOnce = inputsAtOnce(weight.shape, weight.gpu) / halves;
    for (const int64_t tokens : {batch < atOnce ? batch : atOnce, batch % atOnce}) {
        if (!tokens) continue;
        const MatvecPlan plan = planMatvec(weight.shape, int(tokens) * halves, weight.gpu);
        most = std::max(
            most, matvecWorkspace(weight.shape, tokens * halves, tokens, plan.parts, plan.stretches).total);
    }
    return size_t(most);
}

cudaError_t multiply(const DeviceWeight& weight, const OwqCudaVectors& vectors, cudaStream_t stream) {
    const int64_t atOnce = inputsAtOnce(weight.shape, weight.gpu) / vectors.halves;
    for (int64_t first = 0; first < vectors.batch; first += atOnce) {
        const cudaError_t error =
            multiplyFew(weight, vectors, first, int(std::min(atOnce, vectors.batch - first)), stream);
        if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

}  // namespace owq::kernels::cuda
