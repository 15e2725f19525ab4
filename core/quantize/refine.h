// SPDX-License-Identifier: Apache-2.0
// What the column loop, which looks at each column once, leaves to be gained. Private to core/quantize
// (LibTorch type).
#pragma once
#include <ATen/core/Tensor.h>

#include <stop_token>

#include "core/quantize/column_loop.h"

namespace owq {

/// Two ends of the column loop on the same target, from different grids: of each row `loop` keeps the one that loses less, as the
/// diagonal of (W - Q) H (W - Q)ᵀ tells. A row is quantized by itself, so the result is one that the loop could have come to. loop.loss is
/// stale afterwards: call refine, with no passes if none are wanted.
void keepBetterRows(const Device& device, ColumnLoop& loop, const ColumnLoop& other, const at::Tensor& target, const at::Tensor& hessian,
                    const std::stop_token& stop);

/// Lowers tr((W - Q) H (W - Q)ᵀ) further, `passes` times each: the best scale of every grid for its codes
/// (least squares), each code in turn the best for all others as they stand (cyclic coordinate descent, as
/// QuantEase, Behdin et al. 2023), and the best weak columns for what was lost (least squares). No step
/// raises the loss beyond rounding. Zero points stay. target: W, float32 [rows, columns] in the loop's order;
/// hessian: damped, float32, same order. Takes the state after runColumnLoop and leaves it the same way:
/// weight, codes, scale, loss. recipe.scaleType: scales stay numbers of that type (f32: any). False: the weak columns could not be fitted,
/// because the Hessian of their inputs is not positive definite, and keep the loop's values.
bool refine(const Device& device, ColumnLoop& loop, const at::Tensor& target, const at::Tensor& hessian, const LinearRecipe& recipe,
            const std::stop_token& stop);

}  // namespace owq
