// SPDX-License-Identifier: Apache-2.0
// A PyTorch file seen as a file of named tensors.
#pragma once
#include "core/checkpoint/tensor_file.h"

namespace owq {

/// Root must be a dict of tensors (other values in it are left out), or a dict that holds one as `model_state_dict`, `state_dict`,
/// `model` or `module`, as training programs write it.
std::shared_ptr<const TensorFile> openTorchTensors(const std::filesystem::path& file);

}  // namespace owq
