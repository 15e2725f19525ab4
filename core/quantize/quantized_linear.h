// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/tensor.h"

namespace owq {

/// One quantized linear, W ≈ scale * (code - zero) outside the weak columns. Rows are outputs, columns are inputs,
/// both in the model's own order.
struct QuantizedLinear {
    int64_t rows = 0, columns = 0;
    int bits = 3;
    int64_t groupSize = 0;            ///< 0: one grid per row; else columns per grid
    bool symmetric = false;           ///< codes are stored with an offset of 2^(bits-1), which is then the zero
    std::vector<uint8_t> codes;       ///< [rows, columns], 0…2^bits-1; weak slots hold the row's zero, so they dequantize to 0
    std::vector<float> scale, zero;   ///< [rows, groups()]
    std::vector<int32_t> weakColumns; ///< ascending
    std::vector<float> weakWeight;    ///< [rows, weakColumns.size()], already rounded to the model's dtype
    DType weakType = DType::f16;      ///< that dtype, where the linear was read from a file

    int64_t groups() const { return groupSize ? (columns + groupSize - 1) / groupSize : 1; }
};

/// Which of a row's grids each column uses, [columns]. Groups are counted over the columns that are not weak; a weak column
/// (whose slot only holds a zero point) goes with the next of them.
std::vector<int32_t> gridOfColumns(const QuantizedLinear& linear);

/// Weights as the quantized layer computes with them, [rows, columns].
std::vector<float> dequantize(const QuantizedLinear& linear);

/// What was learned about one linear. Vectors are empty when not computed; all [columns], in the model's column order
/// unless said otherwise. Names as in statistics.h5.
struct LinearStatistics {
    std::vector<float> hessianDiagonal;  ///< before damping
    std::vector<float> columnMin, columnMax;
    std::vector<float> columnError;      ///< ‖ΔW_:,j‖² of the 40-step ranking grid, before OPTQ
    std::vector<float> sensitivity;      ///< paper Eq. 6: hessianDiagonal * columnError
    std::vector<float> columnLoss;       ///< OPTQ loss of each column, in the order quantized (weak columns left out)
    std::vector<int32_t> order;          ///< column quantized at each step; weak columns last, in ranking order
    int64_t tokens = 0;                  ///< calibration tokens behind the Hessian
};

}  // namespace owq
