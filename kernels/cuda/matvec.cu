// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/inputs.cuh"
#include "kernels/cuda/matvec.cuh"
#include "kernels/cuda/tensor_core.cuh"

namespace owq::kernels::cuda {
namespace {

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
    const auto advance = [&](uint32_t& place) {
        place = place + kUnitBytes == ring + kRing * kUnitBytes ? ring : place + kUnitBytes;
    };
    int nextTile = 0, nextUnit = items.phase(warp, 0);
    uint32_t nextPlace = ring;
    const char* nextWords = nullptr;
    const auto toTile = [&] {  // or to the first behind it that has a unit for this warp
        while (nextTile < tiles && nextUnit >= items.units) nextUnit = items.phase(warp, ++nextTile);
        nextWords = words + (int64_t(nextTile) * work.units + nextUnit) * kUnitBytes;
    };
    toTile();
    const auto fetchUnit = [&] {
        if (nextTile < tiles) {
#pragma unroll
            for (int v = 0; v < kBits; ++v)
                fetchOnce(nextPlace + v * kVectorBytes, nextWords + v * kVectorBytes, policy);
            nextUnit += kMatvecWarps;
            nextWords += kMatvecWarps * kUnitBytes;
            if (nextUnit >= items.units) toTile();
        }
        advance(nextPlace);
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

    uint32_t herePlace = ring;
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
                const uint4 four = readShared(herePlace + v * kVectorBytes);
                packed[v][0] = four.x, packed[v][1] = four.y, packed[v][2] = four.z, packed[v][3] = four.w;
            }
            advance(herePlace);
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
#pragma unroll
                for (int p = 0; p < kMatvecWarps; ++p)
                    if (p < items.units) sum += at[p * kSlot];
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
                       int32_t(shape.columns),
                       int32_t(shape.kept),
                       weight.weakColumns,
                       weight.weakInputs,
                       int32_t(weight.weakCount),
                       int32_t(shape.weakInputs),
                       halves,
                       weakHalves,
                       int32_t(place.stretch),
                       int32_t(place.weakStretch),
                       facts,
                       counters,
                       int32_t(plan.stretches)};
    const cudaError_t error = prepareInputs(in, tokens, stream);
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
