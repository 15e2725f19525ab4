// SPDX-License-Identifier: Apache-2.0
// What is refused before any work, and the likely causes that notes name. Private to core/quantize.
#pragma once
#include <cstdint>
#include <string>

#include "core/quantize/quantize.h"

namespace owq {

/// Throws Error on an impossible recipe.
void checkRecipe(int64_t rows, int64_t columns, bool hessian, const LinearRecipe& recipe);
/// Index of the first value that is not finite, or -1.
int64_t firstNonFinite(const float* values, int64_t count);
/// Throws Error, with the place, on numbers that are not finite.
void checkFinite(const float* weight, int64_t rows, int64_t columns);

/// Why this Hessian may not be positive definite, as half a sentence.
std::string likelyCause(const float* hessian, int64_t columns);

}  // namespace owq
