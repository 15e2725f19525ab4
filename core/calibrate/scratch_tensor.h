// SPDX-License-Identifier: Apache-2.0
// Private to core sources.
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>

#include "core/base/file.h"

namespace owq {

/// Floats that lie in a file of `scratch`, where that folder is given, else in the memory of `place`. Uninitialized.
class ScratchTensor {
public:
    ScratchTensor(at::IntArrayRef shape, const std::filesystem::path& scratch, at::Device place = at::kCPU);
    const at::Tensor& values() const { return values_; }
    /// Lets go of the pages of the file: what they hold stays there.
    void release() const {
        if (file_) file_->release();
    }

private:
    std::unique_ptr<ScratchMemory> file_;  ///< what values_ is a view of, or null
    at::Tensor values_;
};

}  // namespace owq
