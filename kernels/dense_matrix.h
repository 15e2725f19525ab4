// SPDX-License-Identifier: Apache-2.0
// Dense fp32 matrix times many vectors: y[t][r] = Σ_c W[r][c] x[t][c] + bias[r].
#pragma once
#include <cstdint>

#include "kernels/float_buffer.h"

namespace owq::kernels {

struct DenseTable;

/// A dense weight in the order in which products with many tokens read it: panels of some rows, column after column. Made
/// once, so that no product has to copy it (library products copy their operands at every call).
class DenseMatrix {
public:
    DenseMatrix() = default;
    /// w [rows, columns].
    DenseMatrix(const float* w, int64_t rows, int64_t columns);

    int64_t rows() const { return rows_; }
    int64_t columns() const { return columns_; }
    /// [rows, columns], bit for bit as given.
    void copyTo(float* w) const;

    /// x [tokens, columns] to y [tokens, rows]; bias [rows] or null. A token's result depends on its own x alone: not on
    /// the other tokens, their number, nor the number of threads. Instruction sets differ by rounding.
    void multiply(const float* x, int64_t tokens, const float* bias, float* y) const;

private:
    void multiplyBlock(const float* x, int64_t tokens, const float* bias, int64_t firstPanel, int64_t endPanel,
                       float* y) const;

    const DenseTable* table_ = nullptr;
    int64_t rows_ = 0, columns_ = 0, panels_ = 0;
    FloatBuffer panelData_;  ///< [panels, columns, table panel]; rows beyond the last are 0
};

}  // namespace owq::kernels
