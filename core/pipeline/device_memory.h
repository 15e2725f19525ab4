// SPDX-License-Identifier: Apache-2.0
// What a run that a GPU computes will take of the GPU's memory and of the machine's, from shapes alone.
#pragma once
#include <cstdint>

#include "core/pipeline/memory_forecast.h"

namespace owq {

/// The GPU's; `scratch` then says that the activations are not there. tokensPerPass: the device's. Keep in step with
/// quantize_model.cpp, core/model, core/calibrate and core/quantize.
MemoryForecast forecastDeviceMemory(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, int64_t windows,
                                    int64_t length, int64_t tokensPerPass);

/// The machine's beside it: `resident` is what the process holds with the GPU opened, `activationsApart` whether the activations are
/// kept here.
MemoryForecast forecastHostMemory(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, int64_t windows, int64_t length,
                                  uint64_t resident, bool activationsApart);

}  // namespace owq
