// SPDX-License-Identifier: Apache-2.0
// Private to core sources. Rotary positions in the split-half form: of the first `size` channels of a head, d
// turns with d + size/2.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/model/config.h"

namespace owq {

class Rope {
public:
    Rope(const RopeConfig& config, int64_t headSize);
    /// Turns x [n, t, heads, headSize] (contiguous fp32) in place, or back; token 0 is at position `first`.
    void apply(at::Tensor& x, int64_t first, bool back = false) const;
    /// The same, as a new tensor, by LibTorch where x lies.
    at::Tensor turned(const at::Tensor& x, int64_t first) const;
    /// Radians per position, [size/2].
    const std::vector<float>& frequencies() const { return frequencies_; }

private:
    /// cos and sin of positions 0…count-1, [count, size] as (cos…, sin…).
    std::shared_ptr<const std::vector<float>> table(int64_t count) const;

    int64_t headSize_, size_;
    std::vector<float> frequencies_;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const std::vector<float>> table_;
    mutable at::Tensor placedTable_;  ///< a copy of it where turned() was last called
};

}  // namespace owq
