// SPDX-License-Identifier: Apache-2.0
// What the threads of the packed product do, in functions that run on the host as well (tests/kernels
// emulates a block with them). C++17, because nvcc sees it.
//
//   y[t][r] = scale[r] (Σ q[r][c] x[t][c] - zero[r] Σ x[t][c]) + Σ w[r][j] x[t][weak j] + bias[r]
//
// where the first two sums are without weak columns. With a scale and a zero for each group of columns the
// first two terms are summed over groups, each scaled by itself.
//
// Inputs x become halves: times a power of two that puts the token's largest one into [2^14, 2^15), so that
// none overflows, rounded to one half (11 bits) or to the sum of two (22 bits). Each half is a column of the
// right operand. Weak inputs, the outliers, have a power of their own; weak weights are halves times a power
// of two of the row, or the sums of two halves where one loses bits. The tensor core multiplies exactly and
// sums 16 products at a time. Within a unit of 256 columns each bit position has sums of its own
// (packed_order.h), at most 6 steps long (16 with 8 bits), which join the sum over units in fp32: long chains
// in the tensor core would be biased, since it cuts off what it cannot hold.
//
// Error: with q the largest code, |y - exact| is at most
//
//   (e + 18 L 2^-23 + (columns / 512 + 20) 2^-24) (scale q Σ |x| + Σ |w x|) + 2^-23 |bias|
//
// with e = 2^-11 of one half, 2^-21 of two, and L = 4, 6, 8, 16 steps a position with 2, 3, 4, 8 bits: a
// tensor core keeps at least 23 bits below its largest addend and cuts off what is less of each of 17; sums
// over units, warps and parts of the columns round to 24 bits. With groups the sums of bit positions are
// joined, less zero times the group's inputs, and scaled wherever a group may end, and what Σ counts has the
// group's scale, and for q the larger of it and the group's zero:
//
//   (e + 18 L 2^-23 + (columns / 256 + 48) 2^-24) (Σ scale q |x| + Σ |w x|) + 2^-23 |bias|
//
// (in the joining up to six roundings of what is twice as large, in the sum of a group's inputs up to 13 of
// their zero's share, and one for each fold of a warp). tests/kernels holds a block whose tensor core cuts
// off as much against it; its errors, as a GPU's should be, are some hundred times smaller.
#pragma once
#include <cstdint>

#include "kernels/cuda/packed_order.h"

namespace owq::kernels::cuda {

constexpr int kTokenTile = 8;    ///< columns of the right operand of one mma
constexpr int kMatvecWarps = 8;  ///< of a block, which share the columns
constexpr int kMatvecThreads = kMatvecWarps * kWarpLanes;
constexpr int kMostInputs = 32;  ///< columns of right operands at once: tokens times halves
constexpr int kWeakStep = 8;     ///< weak columns of mma.m16n8k8

/// What inputs of one token are multiplied by before they become halves, and sums after.
struct InputScale {
    float there, back;
};
/// largest: the bits of the largest absolute input. Where that is not finite, what comes back is not a
/// number.
OWQ_THREAD InputScale inputScale(uint32_t largest) {
    if (largest >= 0x7f800000u) return {0.0f, floatOfBits(0x7fc00000u)};
    // 2^(14 - e) and 2^(e - 14) of an input 2^e; below 2^-112 they stay, as both must be normal numbers
    const uint32_t exponent = largest >> 23 < 15u ? 15u : largest >> 23;
    return {floatOfBits((268u - exponent) << 23), floatOfBits((exponent - 14u) << 23)};
}
OWQ_THREAD uint32_t magnitude(float x) {
    return bitsOfFloat(x) & 0x7fffffffu;
}

struct TwoHalves {
    uint16_t high, low;
};
/// x as their sum; low is 0 where it is not asked for.
OWQ_THREAD TwoHalves splitInput(float x, float there, bool two) {
    const float scaled = x * there;
    const uint16_t high = halfOfFloat(scaled);
    return {high, two ? halfOfFloat(scaled - floatOfHalf(high)) : uint16_t(0)};
}

/// Column of the i-th that is not weak. weak: ascending.
OWQ_THREAD int keptColumn(const int32_t* weak, int count, int i) {
    int low = 0, high = count;  // weak columns before it: those with weak[n] - n <= i
    while (low < high) {
        const int middle = (low + high) / 2;
        if (weak[middle] - middle <= i)
            low = middle + 1;
        else
            high = middle;
    }
    return i + low;
}

/// Joins the sums of a unit's bit positions, [setCount], to the sum of all units.
template <int kBits>
OWQ_THREAD float joinSets(const float* sets, int apart, float total) {
    OWQ_UNROLL for (int s = setCount(kBits) - 1; s >= 0; --s) total =
        multiplyAdd(sets[s * apart], 1.0f / float(1 << (kBits * s)), total);
    return total;
}

/// Does one of the steps add to that set?
template <int kBits>
OWQ_THREAD constexpr bool usesSet(int set, int firstStep, int steps) {
    for (int step = firstStep; step < firstStep + steps; ++step)
        if (stepSet<kBits>(step) == set) return true;
    return false;
}
/// Adds what steps of one group have summed to the sum over groups: scale (Σ q x - zero Σ x). inputs: their Σ
/// x.
template <int kBits>
OWQ_THREAD float foldSets(const float* sets, int apart, int firstStep, int steps, const Grid& grid,
                          float inputs, float total) {
    float sum = -grid.zero * inputs;
    OWQ_UNROLL for (int s = setCount(kBits) - 1; s >= 0; --s) if (usesSet<kBits>(s, firstStep, steps)) sum =
        multiplyAdd(sets[s * apart], 16777216.0f / float(1 << (kBits * s)), sum);
    return multiplyAdd(grid.scale, sum, total);
}
/// Σ x of so many pairs of steps from those of each.
OWQ_THREAD float foldInputs(const float* pairSums, int pairs) {
    float sum = pairSums[0];
    OWQ_UNROLL for (int p = 1; p < pairs; ++p) sum += pairSums[p];
    return sum;
}

/// Facts of a row, and of a token.
struct alignas(16) RowFacts {
    float scale, zero, weakScale, bias;  ///< scale, zero: 0 where groups have their own
};
struct TokenFacts {
    float back, sum, weakBack;  ///< sum: of the halves that are multiplied
};
/// sum: Σ q x of subnormal codes and halves; weak: of weak ones.
OWQ_THREAD float finished(float sum, float weak, const RowFacts& row, const TokenFacts& token) {
    const float units = sum * 16777216.0f;
    const float grid = row.scale * multiplyAdd(-row.zero, token.sum, units) * token.back;
    return grid + weak * row.weakScale * token.weakBack + row.bias;
}

/// The same where groups have been scaled by themselves.
OWQ_THREAD float finishedGroups(float sum, float weak, const RowFacts& row, const TokenFacts& token) {
    return sum * token.back + weak * row.weakScale * token.weakBack + row.bias;
}

/// The work of a block on one tile after the other: units of its part of the columns, and steps of weak
/// columns after them, are dealt out to the warps in turn, going on where the last tile ended. A sum over
/// columns is made in the order of `phase`, so it does not depend on which warp began.
struct TileItems {
    int units, weakSteps;
    OWQ_THREAD int phase(int warp, int tilesBefore) const {
        return int(uint32_t(warp) - uint32_t(tilesBefore) * uint32_t(units + weakSteps)) & (kMatvecWarps - 1);
    }
    OWQ_THREAD int unitPhases() const { return units < kMatvecWarps ? units : kMatvecWarps; }
    OWQ_THREAD int weakPhases() const { return weakSteps < kMatvecWarps ? weakSteps : kMatvecWarps; }
    /// The warp's first step of weak columns and the place of its sum; >= weakSteps: none.
    OWQ_THREAD int firstWeak(int phase) const { return (phase - units) & (kMatvecWarps - 1); }
};

}  // namespace owq::kernels::cuda
