// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>

#include "core/jobs/quantize.h"

namespace owq {

/// How fast this machine quantized before, kept between starts: one pace for each method, recipe and device. What was never run is unmeasured.
/// A run takes about a·(tokens × weights) for forward passes and Hessians and b·Σ rows × columns² for range search and column loop.
namespace pace {
void remember(const ModelInfo& model, const QuantizeResult& result);
std::optional<double> forecast(const ModelInfo& model, const Recipe& recipe, DeviceKind device, double tokens);  ///< seconds
}  // namespace pace

}  // namespace owq
