// SPDX-License-Identifier: Apache-2.0
#include "core/calibrate/scratch_tensor.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/util/accumulate.h>

namespace owq {

ScratchTensor::ScratchTensor(at::IntArrayRef shape, const std::filesystem::path& scratch, at::Device place) {
    if (scratch.empty()) {
        values_ = at::empty(shape, at::TensorOptions(at::kFloat).device(place));
        return;
    }
    file_ = std::make_unique<ScratchMemory>(scratch, uint64_t(c10::multiply_integers(shape)) * sizeof(float));
    values_ = at::from_blob(file_->data(), shape, at::TensorOptions(at::kFloat));
}

}  // namespace owq
