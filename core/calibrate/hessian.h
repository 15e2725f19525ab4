// SPDX-License-Identifier: Apache-2.0
// Private to core sources.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/device/device.h"

namespace owq {

/// H = (2/n) Σ x xᵀ over all tokens of n calibration windows (paper Eq. 4), for one shared input.
/// Products and sums in fp32 (kernels/gram_sum.h), where the device is; only the lower triangle is computed.
class Hessian {
public:
    explicit Hessian(int64_t columns, const Device& device = hostDevice()) : columns_(columns), sum_(device.gramSum(columns)) {}
    /// x fp32 [tokens, columns], contiguous.
    void add(const at::Tensor& x);
    int64_t columns() const { return columns_; }
    int64_t tokens() const { return tokens_; }
    /// Symmetric fp32 [columns, columns]. Ends the sum.
    at::Tensor finish(int64_t windows);

private:
    int64_t columns_;
    std::unique_ptr<GramSum> sum_;
    int64_t tokens_ = 0;
};

/// One Hessian per input group.
class HessianSet {
public:
    explicit HessianSet(const Device& device = hostDevice()) : device_(device) {}
    void add(const std::string& group, const at::Tensor& x);
    /// Finished Hessians by group; the set is empty afterwards.
    std::map<std::string, at::Tensor> finish(int64_t windows);

private:
    const Device& device_;
    std::map<std::string, Hessian> sums_;
};

}  // namespace owq
