// SPDX-License-Identifier: Apache-2.0
// Private to core sources (LibTorch types). core/quantize/quantize.h for matrices that lie on a device.
#pragma once
#include <ATen/core/Tensor.h>

#include "core/device/device.h"
#include "core/quantize/quantize.h"

namespace owq {

/// weight fp32 [rows, columns], hessian fp32 [columns, columns] or undefined; both contiguous, on the device. What comes out is in
/// host memory.
LinearOutcome quantizeLinear(const Device& device, const at::Tensor& weight, const at::Tensor& hessian, const LinearRecipe& recipe,
                             const std::stop_token& stop = {});
LinearStatistics analyzeLinear(const Device& device, const at::Tensor& weight, const float* hessianDiagonal,
                               const LinearRecipe& recipe, const std::stop_token& stop = {});

/// Any tensor's values as floats in host memory.
std::vector<float> floatsOf(const at::Tensor& values);

}  // namespace owq
