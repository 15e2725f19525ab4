// SPDX-License-Identifier: Apache-2.0
// How the packed product is spread over a GPU: blocks take a stretch of row tiles and all columns or a part
// of them; which columns and tiles decides the order of sums, so equal GPUs give equal bits. C++17, because
// nvcc sees it.
#pragma once
#include <algorithm>
#include <cstdint>

#include "kernels/cuda/matvec_thread.h"

namespace owq::kernels::cuda {

/// Of a GPU.
struct GpuLimits {
    int processors = 132;
    int64_t blockShared = 232448;      ///< bytes that one block may have
    int64_t processorShared = 233472;  ///< bytes of a processor; each block takes 1 KiB more than it asks for
    bool overlapsLaunches =
        false;  ///< a kernel may begin before its predecessor has ended (compute capability 9)
};

/// Sizes of a packed weight on the GPU.
struct MatvecShape {
    int64_t rows = 0, columns = 0, kept = 0;  ///< kept: columns that are not weak
    int bits = 3;
    int64_t weakInputs = 0;  ///< weak columns, twice where their weights are sums of two halves
    int64_t groupSize = 0;   ///< kept columns that share a grid, a multiple of kPairColumns; 0: all
    bool wideGrids = false;  ///< scales and zeros of groups are floats, not halves

    OWQ_THREAD int64_t tiles() const { return (rows + kTileRows - 1) / kTileRows; }
    OWQ_THREAD int64_t units() const { return kept > 0 ? (kept + kPackUnit - 1) / kPackUnit : 1; }
    OWQ_THREAD int64_t weakPairs() const { return (weakInputs + 1) / 2; }
    OWQ_THREAD int64_t weakSteps() const { return (weakInputs + kWeakStep - 1) / kWeakStep; }
    OWQ_THREAD int64_t groups() const { return groupSize ? (columns + groupSize - 1) / groupSize : 1; }
    /// Pairs of steps that are folded into the sum at once, the most that never lie in two groups: 1, 2, 4 or
    /// 8; 0: one grid a row, which is applied at the end.
    OWQ_THREAD int foldPairs() const {
        int pairs = groupSize ? 1 : 0;
        while (pairs && pairs < kUnitPairs && groupSize % (2 * pairs * kPairColumns) == 0) pairs *= 2;
        return pairs;
    }
    OWQ_THREAD int folds() const { return groupSize ? kUnitPairs / foldPairs() : 0; }  ///< of a unit
    /// The grid of row `row` and a fold of a unit; scale and zero as kernels/matvec.h has them. None, all 0,
    /// beyond the last row and column.
    OWQ_THREAD Grid gridOf(const float* scale, const float* zero, int64_t row, int64_t unit, int fold) const {
        const int64_t column = unit * kPackUnit + fold * foldPairs() * kPairColumns;
        if (row >= rows || column >= kept) return {0.0f, 0.0f};
        const int64_t at = row * groups() + column / groupSize;
        return {scale[at], zero[at]};
    }
    OWQ_THREAD int64_t unitStride() const {
        return unitWords(bits) + gridWords(folds(), wideGrids);
    }  ///< words
    OWQ_THREAD int64_t words() const { return tiles() * units() * unitStride(); }
};

/// Units that a warp has under way or under work: 6 KiB or a little more, with grids that are halves.
OWQ_THREAD constexpr int ringUnits(int bits, int folds) {
    const int bytes = (unitWords(bits) + gridWords(folds, false)) * 4;
    return (6144 + bytes - 1) / bytes;
}
/// Steps of weak columns whose inputs are staged; those of more are read from the GPU's memory.
constexpr int kStagedWeakSteps = 8;

/// Bytes of a block's shared memory: inputs [inputs, stretch] (stretches 64 bytes apart modulo 128, so that a
/// warp's read meets every bank once), weak inputs, rings of the warps, sums of two tiles, and of weights in
/// groups the sums of inputs that zeros are multiplied with, floats [folds, columns of right operands].
struct MatvecShared {
    int64_t stretch, weakStretch, weak, ring, sums, tileSums, inputSums, total;
};
/// 1, 2 or 4.
OWQ_THREAD constexpr int tokenTilesOf(int inputs) {
    return inputs <= kTokenTile ? 1 : inputs <= 2 * kTokenTile ? 2 : 4;
}
OWQ_THREAD MatvecShared matvecShared(int bits, int inputs, int64_t units, int64_t weakSteps, int folds = 0,
                                     int wordsOfGrids = 0) {
    MatvecShared s{};
    s.stretch = units * kPackUnit * 2 + 64;
    s.weak = inputs * s.stretch;
    s.weakStretch = (weakSteps < kStagedWeakSteps ? weakSteps : kStagedWeakSteps) * kWeakStep * 2;
    s.ring = (s.weak + inputs * s.weakStretch + 127) / 128 * 128;
    s.sums = s.ring + kMatvecWarps * ringUnits(bits, folds) * (unitWords(bits) + wordsOfGrids) * 4;
    const int64_t slots = kMatvecWarps + (weakSteps < kMatvecWarps ? weakSteps : kMatvecWarps);
    s.tileSums = slots * tokenTilesOf(inputs) * kTileRows * kTokenTile * 4;
    s.inputSums = s.sums + 2 * s.tileSums;
    s.total = s.inputSums + units * folds * tokenTilesOf(inputs) * kTokenTile * 4;
    return s;
}

struct MatvecPlan {
    int inputs = 1, tokenTiles = 1;
    int64_t parts = 1, unitsOfPart = 1;  ///< of the columns
    int64_t stretches = 1;               ///< of row tiles: each is the work of `parts` blocks
    int64_t shared = 0;
    int64_t blocks() const { return parts * stretches; }
};

/// inputs: 1…kMostInputs. Of the splits that fit, the one whose busiest block has least to do, less of parts
/// where equal.
inline MatvecPlan planMatvec(const MatvecShape& shape, int inputs, const GpuLimits& gpu) {
    constexpr double kTileCost = 0.5;  // of a tile beside its units, in units
    constexpr double kJoinCost = 12;   // of joining the parts
    constexpr double kAlone =
        1.15;  // of a block whose processor has no other one to go on with while it waits
    MatvecPlan best;
    double least = 0;
    const int tokenTiles = tokenTilesOf(inputs);
    for (int beside = tokenTiles > 2 ? 1 : 2; beside >= 1; --beside) {  // blocks of one processor
        const int64_t room = std::min(gpu.blockShared, gpu.processorShared / beside - 1024);
        for (int64_t parts = 1; parts <= shape.units(); ++parts) {
            const int64_t units = (shape.units() + parts - 1) / parts;
            if ((parts - 1) * units >= shape.units()) continue;  // a part would be left without any
            const int64_t shared = matvecShared(shape.bits, inputs, units, shape.weakSteps(), shape.folds(),
                                                gridWords(shape.folds(), shape.wideGrids))
                                       .total;
            if (shared > room) continue;
            const int64_t stretches =
                std::min(shape.tiles(), std::max<int64_t>(1, int64_t(gpu.processors) * beside / parts));
            const int64_t rounds =
                (parts * stretches + gpu.processors - 1) / gpu.processors;  // blocks of the busiest processor
            const double unitsOfWarp =
                double((units + kMatvecWarps - 1) / kMatvecWarps * kMatvecWarps + units) /
                2;  // idle warps cost half
            const double cost = double(rounds * ((shape.tiles() + stretches - 1) / stretches)) *
                                    (unitsOfWarp + kTileCost) * (rounds > 1 ? 1 : kAlone) +
                                (parts > 1 ? kJoinCost + 0.1 * double(parts) : 0);
            if (best.shared && cost >= least) continue;
            least = cost;
            best = {inputs, tokenTiles, parts, units, stretches, shared};
        }
    }
    return best;
}

/// Columns of right operands that are best taken at once: kMostInputs, or fewer where shared memory holds too
/// little of them.
inline int inputsAtOnce(const MatvecShape& shape, const GpuLimits& gpu) {
    int inputs = kMostInputs;
    for (; inputs > kTokenTile; inputs /= 2) {
        const MatvecPlan plan = planMatvec(shape, inputs, gpu);
        if (plan.shared && plan.unitsOfPart >= std::min<int64_t>(shape.units(), 3)) break;
    }
    return inputs;
}

/// Is there room for a product's block? Not for 8 bits with wide grids of 32 columns beside many weak ones,
/// where a block may have no more than 99 KiB.
inline bool hasProduct(const MatvecShape& shape, const GpuLimits& gpu) {
    return planMatvec(shape, kTokenTile, gpu).shared > 0;
}

/// What a product needs beside inputs and outputs: bytes from its workspace's start, each part at a multiple
/// of 16.
struct MatvecWorkspace {
    int64_t stretch, weakStretch;  ///< halves of one input
    int64_t weak, tokens, counters, pairSums, sums, total;
};
inline MatvecWorkspace matvecWorkspace(const MatvecShape& shape, int64_t inputs, int64_t tokens,
                                       int64_t parts, int64_t stretches) {
    const auto rounded = [](int64_t bytes) { return (bytes + 15) / 16 * 16; };
    MatvecWorkspace w{};
    w.stretch = shape.units() * kPackUnit;
    w.weakStretch = shape.weakSteps() * kWeakStep;
    w.weak = inputs * w.stretch * 2;
    w.tokens = w.weak + rounded(inputs * w.weakStretch * 2);
    w.counters = w.tokens + rounded(tokens * int64_t(sizeof(TokenFacts)));
    w.pairSums = w.counters + rounded(stretches * 4);
    w.sums = w.pairSums + (shape.groupSize ? inputs * shape.units() * kUnitPairs * 4 : 0);
    w.total = w.sums + (parts > 1 ? rounded(parts * tokens * shape.rows * 4) : 0);
    return w;
}

}  // namespace owq::kernels::cuda
