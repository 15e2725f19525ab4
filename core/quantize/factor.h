// SPDX-License-Identifier: Apache-2.0
// The factor that the column loop works with. Private to core/quantize (LibTorch type).
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>
#include <stop_token>

#include "core/device/device.h"

namespace owq {

/// One factorization of a damped Hessian. With R upper triangular and R Rᵀ = H (Cholesky's factor of H with its columns in reverse
/// order, reversed again), the column loop needs R alone (kernels/column_loop.h, gathering); where it needs U, Uᵀ U = H⁻¹, that is R⁻¹.
/// Computed in float64: the factor's rounding, not the loop's, is what flips codes.
struct Factor {
    at::Tensor unit;        ///< float32 [n, n], upper triangular: R_jk / R_kk, or U
    at::Tensor pivot;       ///< float32 [n] 1 / R_kk = U_kk
    bool inverted = false;  ///< unit is U
};

/// reversed: float64 [n, n] on the device, the damped Hessian with its rows and columns in reverse order; overwritten. Nothing when H
/// is not positive definite.
std::optional<Factor> factorize(const Device& device, at::Tensor reversed, bool inverted, const std::stop_token& stop);

}  // namespace owq
