// SPDX-License-Identifier: Apache-2.0
// The order of packed codes on a GPU, and how they become the left operand of a tensor core without being
// converted. C++17, because nvcc sees it.
//
// Rows go in tiles of 16, columns (weak ones left out) in units of 256, filled up with codes 0 against inputs
// 0. A tile of a unit is kBits * 16 bytes a lane, which a warp reads as kBits vectors of 512 contiguous
// bytes, and 16 steps of mma.m16n8k16, each with 16 columns. A lane's vector is four words, one for each of
// its registers of the left operand; each half of a word holds fields of kBits bits. A field masked out where
// it lies, at bit b < 10 of a half, is the subnormal half q 2^(b-24): the tensor core takes it as it is. One
// step takes its fields from the same bit everywhere, and each bit has its own sums:
// - 2 bits: vector v holds steps 8 v …, the lower byte of each half the first four, at bits 0, 2, 4 and 6
// - 3 bits: vector v holds steps 5 v …, at bits 0, 3, 6, 9 and 12; its bit 15 is bit v of step 15, whose
// field
//   is put together at bit 6
// - 4 bits: vector v holds steps 4 v …, at bits 0, 4, 8 and 12
// - 8 bits: vector v holds steps 2 v …, at bits 0 and 8
// Fields from bit 8 or 9 on are shifted down first: one shift for all of them.
//
// Two steps are 32 neighbouring columns, so a group of 32 n columns is made of whole pairs of steps, and each
// unit holds whole pairs of it. Where rows have a grid for each group, those of a unit lie behind its codes:
// one for each row and each stretch of pairs that is folded at once (MatvecShape::foldPairs), [folds, 16]
// words of two halves, scale and zero, or where one of them is no half [folds, 2, 16] floats, scales and then
// zeros.
#pragma once
#include <cstdint>

#include "kernels/cuda/thread.h"

namespace owq::kernels::cuda {

constexpr int kTileRows = 16;
constexpr int kPackUnit = 256;  ///< columns
constexpr int kUnitSteps = 16;
constexpr int kPairColumns = 32;  ///< of two steps
constexpr int kUnitPairs = kPackUnit / kPairColumns;
constexpr int kOperandWords = 4;  ///< registers of the left operand, and words of a vector
constexpr int kWarpLanes = 32;

/// Words of a unit of a tile.
OWQ_THREAD constexpr int unitWords(int bits) {
    return bits * kWarpLanes * kOperandWords;
}

/// mma.m16n8k16 as the PTX ISA documents its fragments: the row and the column of the step (both 0…15) that
/// half `h` of register `word` of a lane holds of the left operand.
OWQ_THREAD constexpr int operandRow(int lane, int word) {
    return lane / 4 + word % 2 * 8;
}
OWQ_THREAD constexpr int operandDepth(int lane, int word, int h) {
    return lane % 4 * 2 + h + word / 2 * 8;
}
/// Which column of its unit stands at that depth of a step: so chosen that what a lane needs of the right
/// operand for two steps are 8 neighbouring columns.
OWQ_THREAD constexpr int columnOf(int step, int depth) {
    return step / 2 * 32 + depth % 8 / 2 * 8 + step % 2 * 4 + depth / 8 * 2 + depth % 2;
}

struct StepField {
    int vector, shift, bit;  ///< bit: after the shift; vector -1: one bit of each
};
template <int kBits>
OWQ_THREAD constexpr StepField stepField(int step) {
    if (kBits == 3) {
        if (step == 15) return {-1, 0, 6};
        const int in = step % 5;
        return in < 3 ? StepField{step / 5, 0, 3 * in} : StepField{step / 5, 9, 3 * (in - 3)};
    }
    constexpr int fields = 8 / kBits;  // of a byte
    return {step / (2 * fields), step / fields % 2 * 8, step % fields * kBits};
}

/// Sets of sums: one for each bit at which fields begin, bit kBits * set.
OWQ_THREAD constexpr int setCount(int bits) {
    return bits == 3 ? 3 : 8 / bits;
}
template <int kBits>
OWQ_THREAD constexpr int stepSet(int step) {
    return stepField<kBits>(step).bit / kBits;
}

/// The two fields of a word, one in each half, where they lie after the shift.
template <int kBits>
OWQ_THREAD uint32_t fieldsOf(uint32_t word, const StepField& field) {
    const uint32_t mask = ((1u << kBits) - 1u) << field.bit;
    return word >> field.shift & (mask | mask << 16);
}
/// Those of step 15 of 3 bits.
OWQ_THREAD uint32_t spareFields(uint32_t first, uint32_t second, uint32_t third) {
    return (first >> 9 & 0x00400040u) | (second >> 8 & 0x00800080u) | (third >> 7 & 0x01000100u);
}

/// A register of the left operand from the words of that register in all vectors, [kBits] words 4 apart.
template <int kBits>
OWQ_THREAD uint32_t operand(const uint32_t* words, int step) {
    const StepField field = stepField<kBits>(step);
    if (field.vector < 0) return spareFields(words[0], words[kOperandWords], words[2 * kOperandWords]);
    return fieldsOf<kBits>(words[field.vector * kOperandWords], field);
}

/// Word `word` of a lane's vector; codeOf(row of the tile, column of the unit).
template <int kBits, class CodeOf>
OWQ_THREAD uint32_t packWord(int vector, int lane, int word, const CodeOf& codeOf) {
    uint32_t packed = 0;
    OWQ_UNROLL for (int step = 0; step < kUnitSteps; ++step) {
        const StepField field = stepField<kBits>(step);
        if (field.vector >= 0 && field.vector != vector) continue;
        OWQ_UNROLL for (int h = 0; h < 2; ++h) {
            const uint32_t code = codeOf(operandRow(lane, word), columnOf(step, operandDepth(lane, word, h)));
            packed |= field.vector < 0 ? (code >> vector & 1u) << (15 + 16 * h)
                                       : code << (field.shift + field.bit + 16 * h);
        }
    }
    return packed;
}

/// The code of a row of a tile and a column of a unit, from the unit's words [kBits, 32 lanes, 4].
template <int kBits>
OWQ_THREAD uint32_t codeAt(const uint32_t* unit, int row, int column) {
    const int member = column % 32 / 8, step = column / 32 * 2 + column % 8 / 4;
    const int lane = row % 8 * 4 + member, word = row / 8 + column % 4 / 2 * 2, h = column % 2;
    const uint32_t* words = unit + lane * kOperandWords + word;
    constexpr int apart = kWarpLanes * kOperandWords;
    const StepField field = stepField<kBits>(step);
    const uint32_t both = field.vector < 0 ? spareFields(words[0], words[apart], words[2 * apart])
                                           : fieldsOf<kBits>(words[field.vector * apart], field);
    return both >> (field.bit + 16 * h) & ((1u << kBits) - 1u);
}

/// Of a row and a group.
struct Grid {
    float scale, zero;
};
/// Words of the grids of a unit that is folded in so many stretches.
OWQ_THREAD constexpr int gridWords(int folds, bool wide) {
    return folds * kTileRows * (wide ? 2 : 1);
}
OWQ_THREAD bool fitsHalves(const Grid& grid) {
    return floatOfHalf(halfOfFloat(grid.scale)) == grid.scale &&
           floatOfHalf(halfOfFloat(grid.zero)) == grid.zero;
}
OWQ_THREAD Grid gridOfHalves(uint32_t word) {
    return {floatOfHalf(uint16_t(word)), floatOfHalf(uint16_t(word >> 16))};
}
/// Word `in` of a unit's grids; gridOf(row of the tile, fold).
template <class GridOf>
OWQ_THREAD uint32_t gridWord(int in, bool wide, const GridOf& gridOf) {
    const Grid grid = gridOf(in % kTileRows, in / gridWords(1, wide));
    if (!wide) return halfOfFloat(grid.scale) | uint32_t(halfOfFloat(grid.zero)) << 16;
    return bitsOfFloat(in / kTileRows % 2 ? grid.zero : grid.scale);
}
OWQ_THREAD Grid gridAt(const uint32_t* grids, bool wide, int row, int fold) {
    const uint32_t* const at = grids + fold * gridWords(1, wide) + row;
    return wide ? Grid{floatOfBits(at[0]), floatOfBits(at[kTileRows])} : gridOfHalves(at[0]);
}

}  // namespace owq::kernels::cuda
