// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/base/error.h"
#include "core/budget/budget.h"
#include "core/quantize/quantize.h"

namespace owq {

/// What the run's recipe and the plan mean for one linear whose weights are stored as `type`.
LinearRecipe linearRecipe(const Recipe& recipe, const LinearBudget& budget, DType type);

/// The error, with the linear in which it happened.
Error inLinear(const std::string& name, const Error& error);

}  // namespace owq
