// SPDX-License-Identifier: Apache-2.0
// Private to core sources: between host tensors and LibTorch.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

#include "core/base/tensor.h"
#include "core/model/model_source.h"

namespace owq {

/// A copy as fp32, there: it travels as it is stored. Throws Error for a dtype that is not floating.
at::Tensor toFloatTensor(const Tensor& tensor, at::Device place = at::kCPU);
/// source.tensor(name) as fp32, there. Throws Error naming the tensor when it holds a value that is not finite.
at::Tensor loadFloat(const ModelSource& source, const std::string& name, at::Device place = at::kCPU);
/// source.tensor(name) in its own dtype, or fp32 where that is fp64; may lie in the mapped file. Throws as loadFloat does.
at::Tensor loadStored(const ModelSource& source, const std::string& name);
/// Token ids [count, length] as int64.
at::Tensor idTensor(const int32_t* ids, int64_t count, int64_t length);

}  // namespace owq
