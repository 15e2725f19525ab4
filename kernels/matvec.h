// SPDX-License-Identifier: Apache-2.0
// Packed matrix times a few vectors: y[t][r] = Σ_c W[r][c] x[t][c] + bias[r], W = scale * (code - zero)
// outside the weak columns.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace owq::kernels {

/// A packed weight in the order in which the processor reads it best. Built once at load; the codes are kept
/// exactly.
///
/// Rows go in tiles of 8, one a lane; a tile holds its words one after another, so that a tile is read as one
/// stream and each word of the file's order stays one word here. Weak columns are kept as floats beside it.
class PackedMatrix {
public:
    PackedMatrix() = default;
    /// words: I32 [columns/32*bits, rows] as packCodes makes them; bits 3 or 4; columns a multiple of 32, any
    /// number of rows. scale, zero: [rows]. weakColumns ascending, weakWeight [rows, weakCount]: their codes
    /// must equal the row's zero. bias: [rows] or null.
    PackedMatrix(const int32_t* words, int64_t rows, int64_t columns, int bits, const float* scale,
                 const float* zero, const int32_t* weakColumns, const float* weakWeight, int64_t weakCount,
                 const float* bias = nullptr);

    int64_t rows() const { return rows_; }
    int64_t columns() const { return columns_; }
    int bits() const { return bits_; }
    int64_t weakCount() const { return int64_t(weakColumns_.size()); }
    bool hasBias() const { return !bias_.empty(); }
    uint64_t bytes() const;  ///< memory held

    /// x [batch, columns] to y [batch, rows], float throughout; activations are not rounded. Meant for batch
    /// 1…16; larger ones are correct, but dequantizeRows and a dense product are faster. A row's result does
    /// not depend on the number of threads nor on the other tokens' values; instruction sets differ by
    /// rounding.
    void multiply(const float* x, int64_t batch, float* y) const;

    /// Rows [begin, end) as floats, [end - begin, columns]: scale * (code - zero), and the weak weights in
    /// their columns.
    void dequantizeRows(int64_t begin, int64_t end, float* out) const;

    /// The words in the file's order again.
    void fileWords(int32_t* words) const;

private:
    static constexpr int64_t kTile = 8;
    struct alignas(32) Lanes {
        uint32_t word[kTile];
    };
    const uint32_t* tileWords(int64_t tile) const { return words_[std::size_t(tile * wordRows_)].word; }

    int64_t rows_ = 0, columns_ = 0, wordRows_ = 0;
    int bits_ = 3;
    std::vector<Lanes> words_;         // [tiles, wordRows]
    std::vector<float> scale_, zero_;  // [tiles * 8], rows beyond the last are zero
    std::vector<int32_t> weakColumns_;
    std::vector<float> weakWeight_;  // [tiles, k, 8]
    std::vector<float> bias_;        // [rows] or empty
};

}  // namespace owq::kernels
