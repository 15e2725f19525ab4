// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <stop_token>

namespace owq::kernels {

/// Cholesky's factor L of a symmetric positive definite matrix, A = L Lᵀ, in place.
/// a: float64 [n, n] row after row, of which only the lower triangle is read; afterwards that triangle holds L, and what lies above the
/// diagonal is undefined. False where A is not positive definite or not finite, and after a stop; a is then half done.
/// The same bits for any number of threads; needs n · 128 doubles of memory beside a.
bool cholesky(double* a, int64_t n, std::stop_token stop = {});

}  // namespace owq::kernels
