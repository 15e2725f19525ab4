// SPDX-License-Identifier: Apache-2.0
// Cyclic coordinate descent over the codes of one block of columns (QuantEase, Behdin et al. 2023).
#pragma once
#include <cstdint>

namespace owq::kernels {

/// For each row, column after column: the code that is best for all others as they stand, given half the loss's slope `pull` =
/// (W - Q) H, which takes each change d of a value at once: pull_k -= d H_jk for k ≥ j in the block. With v = scale (code - zero), the
/// best value is v_j + pull_j / H_jj, rounded to the grid.
struct DescentBlock {
    int64_t rows = 0, columns = 0;  ///< at most kBlockColumns columns
    const float* pull = nullptr;    ///< [rows, columns], leading dimension pullStride; not written
    int64_t pullStride = 0;
    const float* hessian = nullptr;  ///< the block's square, leading dimension hessianStride; its diagonal is positive
    int64_t hessianStride = 0;
    const float* scale = nullptr;  ///< [rows, grids], leading dimension gridStride; zero likewise
    const float* zero = nullptr;
    int64_t gridStride = 0;
    const int32_t* grid = nullptr;  ///< [columns] which of a row's grids each column uses
    int bits = 3;
    uint8_t* codes = nullptr;  ///< [rows, columns] in and out, leading dimension codeStride
    int64_t codeStride = 0;
    float* change = nullptr;  ///< [rows, columns] out: what each value changed by, leading dimension changeStride
    int64_t changeStride = 0;
};

/// Equal results for any number of threads.
void descendBlock(const DescentBlock& block);

}  // namespace owq::kernels
