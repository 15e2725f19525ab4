// SPDX-License-Identifier: Apache-2.0
// What is refused before any work, and the likely causes that notes name. Private to core/quantize.
#pragma once
#include <cstdint>
#include <string>

#include "core/quantize/quantize.h"

namespace owq {

/// Throws Error on an impossible recipe and on numbers that are not finite.
void checkInput(const float* weight, int64_t rows, int64_t columns, const float* hessian, const LinearRecipe& recipe);

/// Why this Hessian may not be positive definite, as half a sentence.
std::string likelyCause(const float* hessian, int64_t columns);

}  // namespace owq
