// SPDX-License-Identifier: Apache-2.0
// The column loop of OPTQ inside one block of columns (Frantar et al. 2023, Eqs. 1-2; OWQ uses it unchanged).
#pragma once
#include <cstdint>

namespace owq::kernels {

/// Columns of a block; the rest of the matrix is brought up to date after each (a matrix product).
constexpr int64_t kBlockColumns = 128;

/// One block of up to kBlockColumns columns of W, in the order of quantization. Two forms of one recurrence:
///
/// Spreading (`original` null; what group-wise grids need, as they read columns that took all compensation so far):
///   e_j = (w_j - q_j) / pivot_j, w_k -= e_j factor_jk; factor = U with Uᵀ U = H⁻¹, pivot = U_jj.
/// Gathering (`original` given; needs no inverse): with R Rᵀ = H, R upper triangular,
///   e_j = original_j - q_j, w_k += e_j factor_jk; factor = R_jk / R_kk, pivot = 1 / R_jj.
/// The loss of column j is ((w_j - q_j) / pivot_j)² / 2 in both, w_j as it stands at its turn.
struct ColumnBlock {
    int64_t rows = 0, columns = 0;
    float* w = nullptr;              ///< [rows, columns], leading dimension wStride; in: weights with the compensation of earlier
                                     ///< blocks; out: spreading: quantized values, gathering: w - q
    int64_t wStride = 0;
    const float* original = nullptr; ///< [rows, columns] weights without any compensation, leading dimension originalStride; or null.
                                     ///< May be where `error` is written
    int64_t originalStride = 0;
    const float* factor = nullptr;   ///< the block's square, upper triangular, its diagonal not read; leading dimension factorStride
    int64_t factorStride = 0;
    const float* pivot = nullptr;    ///< [columns]
    const float* scale = nullptr;    ///< [rows, grids], leading dimension gridStride; zero likewise
    const float* zero = nullptr;
    int64_t gridStride = 0;
    const int32_t* grid = nullptr;   ///< [columns] which of a row's grids each column uses
    int bits = 3;
    float* error = nullptr;          ///< [rows, columns] out: e, leading dimension errorStride
    int64_t errorStride = 0;
    uint8_t* codes = nullptr;        ///< [rows, columns] out
    double* loss = nullptr;          ///< [columns] out: summed over rows
};

/// Equal results for any number of threads and any instruction set.
void quantizeBlock(const ColumnBlock& block);

}  // namespace owq::kernels
