// SPDX-License-Identifier: Apache-2.0
// The OPTQ column loop over a whole linear. Private to core/quantize (LibTorch type).
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/quantize/factor.h"
#include "core/quantize/quantize.h"

namespace owq {

struct ColumnLoop {
    at::Tensor weight;            ///< float32 [rows, columns], columns in order, weak ones last; overwritten: quantized
                                  ///< values, and the weak columns after compensation
    Factor factor;                ///< of the Hessian in this order; inverted for group-wise grids
    int64_t kept = 0;             ///< columns that are quantized, the first ones
    int64_t grids = 1;            ///< grids a row
    std::vector<float> scale, zero;  ///< [rows, grids]; group-wise: found during the loop
    std::vector<uint8_t> codes;   ///< out: [rows, kept]
    std::vector<float> loss;      ///< out: [kept]
    double error = 0;             ///< out: Σ loss
};

/// The scale as a number of the type, never 0.
float storedScale(float scale, DType type);

void runColumnLoop(ColumnLoop& loop, const LinearRecipe& recipe, const std::stop_token& stop);

/// Grids of the groups of `width` columns whose first column is in [begin, end): scale and zero at [r * grids + g].
void findGroupGrids(const float* weight, int64_t rows, int64_t stride, int64_t kept, int64_t begin, int64_t end,
                    const LinearRecipe& recipe, int64_t grids, std::vector<float>& scale, std::vector<float>& zero,
                    const std::stop_token& stop);

}  // namespace owq
