// SPDX-License-Identifier: Apache-2.0
// The packed product's kernel, for the sources that instantiate it: weights with one grid a row, and of each
// width those in groups, which take long to compile.
#pragma once
#include "kernels/cuda/matvec.cuh"
#include "kernels/cuda/tensor_core.cuh"

namespace owq::kernels::cuda {

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
    const float* pairSums;  ///< of weights in groups: [inputs, units * kUnitPairs] sums of the inputs
    int32_t gridBytes;      ///< of those of a unit
    bool wideGrids;
};

/// Of a weight in groups; `foldPairs` as its shape says.
template <int kBits>
cudaError_t launchGroups(const MatvecWork& work, const MatvecPlan& plan, const GpuLimits& gpu, int foldPairs,
                         cudaStream_t stream);

/// The grid of row lane / 4 + `below` of a tile and a fold. grids: of row lane / 4, in shared memory.
__device__ __forceinline__ Grid readGrid(uint32_t grids, bool wide, int fold, int below) {
    if (!wide) return gridOfHalves(readSharedWord(grids + (fold * gridWords(1, false) + below) * 4));
    const uint32_t at = grids + (fold * gridWords(1, true) + below) * 4;
    return {floatOfBits(readSharedWord(at)), floatOfBits(readSharedWord(at + kTileRows * 4))};
}

/// Dynamic shared memory as matvecShared says. Blocks of one stretch of tiles are neighbours. kFold: pairs of
/// steps that are folded at once (MatvecShape::foldPairs).
template <int kBits, int kTokenTiles, int kFold>
__global__ void __launch_bounds__(kMatvecThreads, kTokenTiles <= 2 ? 2 : 1)
    multiplyTiles(const MatvecWork work) {
    constexpr int kFolds = kFold ? kUnitPairs / (kFold ? kFold : 1) : 0;
    constexpr int kRing = ringUnits(kBits, kFolds), kSets = setCount(kBits);
    constexpr int kCodeBytes = unitWords(kBits) * 4, kVectorBytes = kWarpLanes * 16;
    const int unitBytes = kFold ? kCodeBytes + work.gridBytes : kCodeBytes;
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
    const MatvecShared place =
        matvecShared(kBits, inputs, work.unitsOfPart, work.weakSteps, kFolds, kFold ? work.gridBytes / 4 : 0);

    // A lane reads back the codes that it has fetched itself, so rings need no barrier of the block.
    uint64_t policy;
    asm("createpolicy.fractional.L2::evict_first.b64 %0;" : "=l"(policy));
    const uint32_t ring = sharedAddress(shared + place.ring) + warp * kRing * unitBytes + lane * 16;
    const char* const words = reinterpret_cast<const char*>(work.words) +
                              (firstTile * work.units + firstUnit) * int64_t(unitBytes) + lane * 16;
    const auto advance = [&](uint32_t& place) {
        place = place + unitBytes == ring + kRing * unitBytes ? ring : place + unitBytes;
    };
    int nextTile = 0, nextUnit = items.phase(warp, 0);
    uint32_t nextPlace = ring;
    const char* nextWords = nullptr;
    const auto toTile = [&] {  // or to the first behind it that has a unit for this warp
        while (nextTile < tiles && nextUnit >= items.units) nextUnit = items.phase(warp, ++nextTile);
        nextWords = words + (int64_t(nextTile) * work.units + nextUnit) * unitBytes;
    };
    toTile();
    const auto fetchUnit = [&] {
        if (nextTile < tiles) {
#pragma unroll
            for (int v = 0; v < kBits; ++v)
                fetchOnce(nextPlace + v * kVectorBytes, nextWords + v * kVectorBytes, policy);
            if constexpr (kFold > 0)
#pragma unroll
                for (int at = 0; at < gridWords(kFolds, true) * 4; at += kVectorBytes)
                    if (at + lane * 16 < work.gridBytes)
                        fetchOnce(nextPlace + kCodeBytes + at, nextWords + kCodeBytes + at, policy);
            nextUnit += kMatvecWarps;
            nextWords += kMatvecWarps * unitBytes;
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
    if constexpr (kFold > 0) {
        constexpr int kAcross = kTokenTiles * kTokenTile;
        float* const to = reinterpret_cast<float*>(shared + place.inputSums);
        for (int i = threadIdx.x; i < items.units * kFolds * kAcross; i += kMatvecThreads)
            to[i] =
                foldInputs(work.pairSums +
                               (int64_t(min(i % kAcross, inputs - 1)) * work.units + firstUnit) * kUnitPairs +
                               i / kAcross * kFold,
                           kFold);
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
            // Grids were fetched by other lanes, and those of the unit before are read by all before the next
            // are.
            if constexpr (kFold > 0) __syncwarp();
            const uint32_t grids = herePlace - lane * 16 + kCodeBytes + lane / 4 * 4;
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
                if constexpr (kFold > 0)
                    if ((pair + 1) % kFold == 0) {
                        const int fold = pair / kFold;
                        const Grid grid[2] = {readGrid(grids, work.wideGrids, fold, 0),
                                              readGrid(grids, work.wideGrids, fold, 8)};
#pragma unroll
                        for (int n = 0; n < kTokenTiles; ++n) {
                            const float2 inputSum = reinterpret_cast<const float2*>(shared + place.inputSums)
                                [((unit * kFolds + fold) * kTokenTiles + n) * (kTokenTile / 2) + lane % 4];
#pragma unroll
                            for (int i = 0; i < 4; ++i)
                                total[n][i] = foldSets<kBits>(&sums[n][0][i], 4, 2 * (pair + 1 - kFold),
                                                              2 * kFold, grid[i / 2],
                                                              i % 2 ? inputSum.y : inputSum.x, total[n][i]);
#pragma unroll
                            for (int s = 0; s < kSets; ++s)
#pragma unroll
                                for (int i = 0; i < 4; ++i) sums[n][s][i] = 0;
                        }
                    }
            }
            if constexpr (kFold == 0)
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
                    kFold ? finishedGroups(sum, weakSum, mine, tokenFacts[token])
                          : finished(sum, weakSum, mine, tokenFacts[token]);
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

template <int kBits, int kTokenTiles, int kFold>
cudaError_t launch(const MatvecWork& work, const MatvecPlan& plan, const GpuLimits& gpu,
                   cudaStream_t stream) {
    const auto kernel = multiplyTiles<kBits, kTokenTiles, kFold>;
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

template <int kBits, int kFold>
cudaError_t launchTiles(const MatvecWork& work, const MatvecPlan& plan, const GpuLimits& gpu,
                        cudaStream_t stream) {
    if (plan.tokenTiles == 1) return launch<kBits, 1, kFold>(work, plan, gpu, stream);
    if (plan.tokenTiles == 2) return launch<kBits, 2, kFold>(work, plan, gpu, stream);
    return launch<kBits, 4, kFold>(work, plan, gpu, stream);
}

}  // namespace owq::kernels::cuda
