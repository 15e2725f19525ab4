// SPDX-License-Identifier: Apache-2.0
// The OPTQ column loop over a whole linear. Private to core/quantize (LibTorch type).
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <stop_token>

#include "core/device/device.h"
#include "core/quantize/factor.h"
#include "core/quantize/quantize.h"

namespace owq {

/// All on one device.
struct ColumnLoop {
    at::Tensor weight;       ///< float32 [rows, columns], columns in order, weak ones last; overwritten: quantized
                             ///< values, and the weak columns after compensation
    Factor factor;           ///< of the Hessian in this order; inverted for group-wise grids
    int64_t kept = 0;        ///< columns that are quantized, the first ones
    int64_t grids = 1;       ///< grids a row
    at::Tensor scale, zero;  ///< float32 [rows, grids]; group-wise: found during the loop
    at::Tensor codes;        ///< uint8 [rows, kept] out
    at::Tensor loss;         ///< float64 [kept] out
};

/// Scales as numbers of the type, never 0.
at::Tensor storedScales(const at::Tensor& scales, DType type);

/// Which of a row's grids each column uses, int32 [count].
at::Tensor gridOfEach(const Device& device, int64_t count, int64_t groupSize);

void runColumnLoop(const Device& device, ColumnLoop& loop, const LinearRecipe& recipe, const std::stop_token& stop);

/// Grids of the groups whose first column is in [begin, end), found on `weight` as it stands: into the columns of scale and zero.
void findGroupGrids(const Device& device, ColumnLoop& loop, int64_t begin, int64_t end, const LinearRecipe& recipe,
                    const std::stop_token& stop);

}  // namespace owq
