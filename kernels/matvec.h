// SPDX-License-Identifier: Apache-2.0
// Packed matrix times a few vectors: y[t][r] = Σ_c W[r][c] x[t][c] + bias[r], W = scale * (code - zero) outside the weak columns.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/float_buffer.h"
#include "kernels/stored_matrix.h"

namespace owq::kernels {

struct PackedTile;

/// What becomes of the activations.
enum class Activations {
    exact,        ///< stay fp32
    doubleInt8,   ///< rounded to two 8-bit numbers each, the second for what the first leaves: 1 / 64516 of the largest of 256
                  ///< neighbours at most off, 1 / 111745 in the root mean square
    int8          ///< rounded to one: 1 / 254 and 1 / 440
};

constexpr int64_t kPackedGroup = 32;  ///< columns of a group are a multiple of these

/// A quantized weight as it is multiplied.
struct PackedWeight {
    const uint8_t* codes = nullptr;  ///< [rows, columns], each below 2^bits
    int64_t rows = 0, columns = 0;
    int bits = 3;                    ///< 2, 3, 4 or 8
    int64_t groupSize = 0;           ///< columns, weak ones not counted, that share a grid: a multiple of kPackedGroup; 0: all
    const float *scale = nullptr, *zero = nullptr;  ///< [rows, groups], groups = columns / groupSize, rounded up
    const int32_t* weakColumns = nullptr;           ///< ascending; what their codes are does not matter
    const float* weakWeight = nullptr;              ///< [rows, weakCount]
    int64_t weakCount = 0;
    const float* bias = nullptr;  ///< [rows] or null
};

/// A packed weight in the order in which the processor reads it best (kernels/cpu/packed_table.h). Built once at load; the codes are
/// kept exactly, but for those of weak columns, which are left out. The other columns are filled up to a multiple of 256, rows to one of 8.
class PackedMatrix {
public:
    PackedMatrix() = default;
    explicit PackedMatrix(const PackedWeight& weight);

    int64_t rows() const { return rows_; }
    int64_t columns() const { return columns_; }
    int bits() const { return bits_; }
    int64_t weakCount() const { return int64_t(weakColumns_.size()); }
    /// Replaces the weak weights, [rows, weakCount]. Copies of this matrix share its codes and keep their weak weights.
    void setWeakWeight(const float* weight);
    bool hasBias() const { return bias_.size() > 0; }
    uint64_t bytes() const;  ///< memory held

    /// x [batch, columns] to y [batch, rows]. A row's result depends neither on the number of threads nor on other tokens, but that rounded
    /// ones, with AMX and grids of rows or of groups of a multiple of 64, are summed in another order where 8 or more are left of the batch;
    /// instruction sets differ by rounding. A token with a value that is not finite gives results that are not.
    /// Error against the product in real numbers, with S = Σ |W x| + |bias|: exact at most 2e-6 S. Rounded: 8e-6 S (8 bits: 2e-5 S), and for
    /// each 256 neighbours (weak columns left out) their Σ |W| times half a step, the largest of their |x| over 2 · 127 · 254, or over 2 · 127.
    void multiply(const float* x, int64_t batch, float* y, Activations activations = Activations::exact) const;

    /// Rows [begin, end) as floats, [end - begin, columns]: scale * (code - zero), and the weak weights in their columns.
    void dequantizeRows(int64_t begin, int64_t end, float* out) const;

    /// Codes of a row, [columns]; those of weak columns are 0.
    void codes(int64_t row, uint8_t* out) const;

private:
    struct Staged;
    const uint8_t* pair(int64_t row, int64_t unit) const;  ///< that the row is of
    void decodeRow(int64_t row, float* out) const;  ///< [units * 256], weak columns left out
    int64_t tiles() const;
    int64_t units() const;
    FloatBuffer byTile(const float* values, int64_t across) const;  ///< [rows, across] as [tiles, across, 8]
    const uint8_t* weakOf(int64_t tile) const;
    PackedTile tile(int64_t tile, int64_t tokens, const float* inputSums, const float* weakInputs) const;
    void gather(const float* x, float* kept, float* weak) const;      ///< x of one token apart; kept filled up with 0
    void addFields(const float* fieldSums, float* sums) const;        ///< to those of their groups
    void multiplyFew(const float* x, int64_t tokens, float* y, Activations activations) const;
    void multiplyMany(const float* x, int64_t tokens, float* y, Activations activations) const;

    int64_t rows_ = 0, columns_ = 0, groups_ = 1, groupSize_ = 0;
    int bits_ = 3;
    int64_t stride_ = 0;                   ///< bytes from a stream of codes to the next one
    FloatBuffer codes_;                    ///< bytes, [4, tiles, units, bits, 2, 32], the first dimension stride_ apart
    FloatBuffer scale_, zero_, bias_;      ///< [tiles, groups or 1, 8]
    FloatBuffer weakWeight_;               ///< [tiles, weakCount, 8] of weakType_
    StoredType weakType_ = StoredType::f32;  ///< the smallest that holds them exactly
    std::vector<int32_t> weakColumns_, fieldGroup_;  ///< fieldGroup_: [units, 8]
};

}  // namespace owq::kernels
