// SPDX-License-Identifier: Apache-2.0
// The factor that the column loop works with. Private to core/quantize (LibTorch type).
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>
#include <stop_token>

namespace owq {

/// Upper triangular U, float32 [n, n], with Uᵀ U = H⁻¹. hessian: float64 [n, n], damped, symmetric, overwritten.
/// Computed in float64: the factor's rounding, not the loop's, is what flips codes. Nothing when H is not positive definite.
/// No inverse and one factorization: with the order of the columns reversed, H = L Lᵀ gives U = L⁻¹, reversed again.
std::optional<at::Tensor> inverseFactor(at::Tensor hessian, const std::stop_token& stop);

}  // namespace owq
