// SPDX-License-Identifier: Apache-2.0
// The inner loops of PackedMatrix, once per instruction set.
//
// Rows go in tiles of 8, columns in units of 256, the last one filled up with codes 0 against inputs 0. A unit of a row is
// `bits` vectors of 32 bytes, of which byte 4 l + b holds parts of the columns 8 b + l, 32 + 8 b + l, … 224 + 8 b + l; the codes of columns
// 32 f … 32 f + 31 are the unit's field f. Decoding a field is the same for all 32 bytes:
//   2 bits: vector f / 4, from bit 2 (f % 4)
//   3 bits: fields 0…5: vector f / 2, from bit 3 (f % 2). Fields 6 and 7: the upper two bits are bits 6 and 7 of vectors 0 and 1, the
//           lowest is bit 6 (field 6) and bit 7 (field 7) of vector 2
//   4 bits: vector f / 2, from bit 4 (f % 2)
//   8 bits: vector f
// The vectors of two neighbouring rows take turns: 64 bytes hold the same vector of both. The first pairs of all tiles, unit by unit, are
// a stream, and so are the second, third and fourth ones: a processor reads a few streams at once faster than one.
#pragma once
#include <cstdint>

#include "kernels/stored_matrix.h"

namespace owq::kernels {

constexpr int64_t kPackedRows = 8;       ///< of a tile
constexpr int64_t kUnitColumns = 256;    ///< of a unit
constexpr int64_t kUnitFields = 8;
constexpr int64_t kFieldColumns = 32;
constexpr int64_t kPackedTokens = 32;    ///< most tokens of one call

constexpr int64_t kAheadBytes = 8192;    ///< of each stream of codes that are asked for beforehand, for the second-level cache: the first one is full of inputs
constexpr int64_t kVectorStride = 64;    ///< from a vector of a unit to the unit's next one

constexpr int64_t unitBytes(int bits) { return kFieldColumns * bits; }

/// Inputs of some tokens as 8-bit numbers: x = first + second with
/// first = scale[0] * int8, and what that leaves = scale[1] * int8, for each unit of each token.
struct RoundedInputs {
    int8_t* values;  ///< [units, tokens, 2, 256], of 32 neighbours in the order of a field's bytes
    float* scale;    ///< [units, tokens, 2]
};

struct PackedTile {
    const uint8_t* codes;         ///< [units, bits, 2, 32] of rows 0 and 1, 64-byte aligned
    int64_t streamBytes;          ///< from there to those of rows 2 and 3, and so on
    int64_t ahead;                ///< kAheadBytes, or 0 where the matrix ends before
    int64_t units;
    int64_t tokens;               ///< 1…kPackedTokens, 1…kManyTokens for multiplyMany
    const RoundedInputs* rounded;  ///< null: exact
    bool twice;                   ///< the second int8, too
    const float* x;               ///< exact: [units, tokens, 256]
    const float* inputSums;       ///< [tokens, groups] Σ x, as they are multiplied
    const float *scale, *zero;    ///< [groups, 8]
    int64_t groups, groupFields;  ///< groupFields: of one group; 0: one group only
    const int32_t* fieldGroup;    ///< [units, 8]
    const void* weak;             ///< [weakCount, 8] of weakType
    StoredType weakType;
    const float* weakInputs;      ///< [tokens, weakCount]
    int64_t weakCount;
    const float* bias;            ///< [8] or null
    float* out;                   ///< [tokens, 8]
};

constexpr int64_t kBlockTokens = 16;  ///< that a matrix unit takes at once
constexpr int64_t kStepColumns = 64;  ///< likewise
constexpr int64_t kManyTokens = 128;  ///< most of one call, then

/// Rounded inputs in the order of a matrix unit, blocks of 16 tokens, 0 for tokens that are not there.
struct ManyInputs {
    const int8_t* values;  ///< [units, blocks, parts, 256 / 64, 16, 16 tokens, 4]: of 64 neighbours in the order of two fields' bytes
    const float* scale;    ///< [units, blocks, parts, 16 tokens]
    int64_t blocks;
};

struct PackedTable {
    void (*multiply)(const PackedTile&, int bits);
    /// x [units, 256] of one token of several to 8-bit numbers. fieldSums: [units, 8], Σ x of a field, rounded; where x is not finite neither
    /// these nor the scales are.
    void (*roundInputs)(const float* x, int64_t units, int64_t token, int64_t tokens, bool twice, const RoundedInputs& out, float* fieldSums);
    /// Σ x of each of so many fields.
    void (*fieldSums)(const float* x, int64_t fields, float* sums);
    /// Codes [256] to one unit of row 0 or 1 of a pair, and back, as floats.
    void (*encode)(const uint8_t* codes, int bits, uint8_t* pair, int64_t row);
    void (*decode)(const uint8_t* pair, int64_t row, int bits, float* codes);
    /// One or two neighbouring tiles times up to kManyTokens rounded tokens; null: there is no matrix unit. Groups are of 64 columns or a
    /// multiple. What a tile has for `rounded` and `x` is not used.
    void (*multiplyMany)(const PackedTile* tiles, int64_t count, const ManyInputs& in, int bits) = nullptr;
};

/// The fastest allowed one (kernels/cpu/features.h).
const PackedTable& packedTable();
/// Whether the matrix unit of `tiles` multiplies as `table` does: a small product of random codes, for the asking once in a process.
bool tilesAgree(const PackedTable& tiles, const PackedTable& table);
/// For tests: this one in its place; null: as before.
void usePackedTable(const PackedTable* table);

namespace scalar { extern const PackedTable packedTable; }
namespace avx2 { extern const PackedTable packedTable; }
namespace vnni { extern const PackedTable packedTable, tilesTable; }

}  // namespace owq::kernels
