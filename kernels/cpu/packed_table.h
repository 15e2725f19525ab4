// SPDX-License-Identifier: Apache-2.0
// The inner loops of PackedMatrix, once per instruction set.
//
// Rows go in tiles of 8, columns in units of 256, the last one filled up with codes 0 against inputs 0. A unit of a row is
// 32 · bits bytes: vectors of 32 bytes, of which byte i holds parts of the columns i, 32 + i, … 224 + i; the codes of columns 32 f + i
// are the unit's field f. Decoding a field is the same for all 32 bytes:
//   2 bits: vector f / 4, from bit 2 (f % 4)
//   3 bits: fields 0…5: vector f / 2, from bit 3 (f % 2). Fields 6 and 7: the upper two bits are bits 6 and 7 of vectors 0 and 1, the
//           lowest is bit 6 (field 6) and bit 7 (field 7) of vector 2
//   4 bits: vector f / 2, from bit 4 (f % 2)
//   8 bits: vector f
// A tile is units after one another, each with its 8 rows: one stream.
#pragma once
#include <cstdint>

namespace owq::kernels {

constexpr int64_t kPackedRows = 8;       ///< of a tile
constexpr int64_t kUnitColumns = 256;    ///< of a unit
constexpr int64_t kUnitFields = 8;
constexpr int64_t kFieldColumns = 32;
constexpr int64_t kPackedTokens = 32;    ///< most tokens of one call

constexpr int64_t unitBytes(int bits) { return kFieldColumns * bits; }

/// Inputs of some tokens as 8-bit numbers: x = first + second with
/// first = scale[0] * int8, and what that leaves = scale[1] * int8, for each unit of each token.
struct RoundedInputs {
    int8_t* values;  ///< [units, tokens, 2, 256]
    float* scale;    ///< [units, tokens, 2]
    float* sums;     ///< [tokens, groups] Σ x of a group, of the rounded values
};

struct PackedTile {
    const uint8_t* codes;         ///< [units, 8, unitBytes], 32-byte aligned
    int64_t units;
    int64_t tokens;               ///< 1…kPackedTokens
    const RoundedInputs* rounded;  ///< null: exact
    bool twice;                   ///< the second int8, too
    const float* x;               ///< exact: [units, tokens, 256]; of 32 neighbours first the columns 0, 4, … 28, then 1, 5, … 29, and so on
    const float *scale, *zero;    ///< [groups, 8]
    int64_t groups, groupFields;  ///< groupFields: of one group; 0: one group only
    const float* weak;            ///< [weakCount, 8]
    const float* weakInputs;      ///< [tokens, weakCount]
    int64_t weakCount;
    const float* bias;            ///< [8] or null
    float* out;                   ///< [tokens, 8]
};

struct PackedTable {
    void (*multiply)(const PackedTile&, int bits);
    /// x [units, tokens, 256], in the order of the columns, to 8-bit numbers; a token that is not finite gets sums that are not.
    void (*roundInputs)(const float* x, int64_t units, int64_t tokens, int64_t groups, int64_t groupFields, bool twice, const RoundedInputs& out);
    /// One unit of a row to codes [256].
    void (*decode)(const uint8_t* unit, int bits, uint8_t* codes);
};

/// The fastest allowed one (kernels/cpu/features.h).
const PackedTable& packedTable();

namespace scalar { extern const PackedTable packedTable; }
namespace avx2 { extern const PackedTable packedTable; }
namespace vnni { extern const PackedTable packedTable; }

}  // namespace owq::kernels
