// SPDX-License-Identifier: Apache-2.0
// Dense matrix of the floats of a file times a few vectors: y[t][r] = Σ_c W[r][c] x[t][c].
#pragma once
#include <cstdint>

#include "kernels/float_buffer.h"

namespace owq::kernels {

enum class StoredType { f32, f16, bf16 };

constexpr int64_t bytesOf(StoredType type) { return type == StoredType::f32 ? 4 : 2; }

/// A dense weight in its own width: a product with one token takes as long as reading the weight, so it is widened in registers only.
class StoredMatrix {
public:
    StoredMatrix() = default;
    /// values [rows, columns] of `type`, finite, at any address; copied.
    StoredMatrix(const void* values, StoredType type, int64_t rows, int64_t columns);

    int64_t rows() const { return rows_; }
    int64_t columns() const { return columns_; }
    uint64_t bytes() const { return uint64_t(values_.size()) * sizeof(float); }  ///< memory held

    /// x [batch, columns] to y [batch, rows], sums in fp32. A row's result depends neither on the number of threads nor on other
    /// tokens; instruction sets differ by rounding.
    void multiply(const float* x, int64_t batch, float* y) const;

    /// Rows [begin, end) as floats, [end - begin, columns].
    void widenRows(int64_t begin, int64_t end, float* out) const;

private:
    const uint8_t* row(int64_t r) const;
    int64_t streamRows() const;  ///< of each of the four parts that are read at once

    StoredType type_ = StoredType::f32;
    int64_t rows_ = 0, columns_ = 0;
    FloatBuffer values_;  ///< bytes, [rows, columns]
};

}  // namespace owq::kernels
