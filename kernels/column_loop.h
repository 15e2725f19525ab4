// SPDX-License-Identifier: Apache-2.0
// The column loop of OPTQ inside one block of columns (Frantar et al. 2023, Eqs. 1-2; OWQ uses it unchanged).
#pragma once
#include <cstdint>

namespace owq::kernels {

/// Columns of a block; the rest of the matrix is brought up to date after each (a matrix product).
constexpr int64_t kBlockColumns = 128;

/// One block of up to kBlockColumns columns of a working copy of W, columns in the order of quantization.
struct ColumnBlock {
    int64_t rows = 0, columns = 0;
    float* w = nullptr;              ///< [rows, columns], leading dimension wStride; in: weights, out: quantized values
    int64_t wStride = 0;
    const float* factor = nullptr;   ///< the block's square of U, upper triangular, Uᵀ U = H⁻¹; leading dimension factorStride
    int64_t factorStride = 0;
    const float* scale = nullptr;    ///< [rows, grids], leading dimension gridStride; zero likewise
    const float* zero = nullptr;
    int64_t gridStride = 0;
    const int32_t* grid = nullptr;   ///< [columns] which of a row's grids each column uses
    int bits = 3;
    float* error = nullptr;          ///< [rows, columns] out: (w - q) / U_jj
    uint8_t* codes = nullptr;        ///< [rows, columns] out
    double* loss = nullptr;          ///< [columns] out: Σ over rows of (w - q)² / U_jj² / 2
};

/// Equal results for any number of threads and any instruction set.
void quantizeBlock(const ColumnBlock& block);

}  // namespace owq::kernels
