// SPDX-License-Identifier: Apache-2.0
#include "core/calibrate/hessian.h"

#include <ATen/core/grad_mode.h>

#include "core/base/error.h"

namespace owq {

void Hessian::add(const at::Tensor& x) {
    if (x.dim() != 2 || x.size(1) != columns())
        throw Error("an input of another width than the Hessian's " + std::to_string(columns()) + " columns");
    sum_->add(x);
    tokens_ += x.size(0);
}

at::Tensor Hessian::finish(int64_t windows) {
    const at::NoGradGuard guard;
    return sum_->finish(2.0f / float(windows));
}

void HessianSet::add(const std::string& group, const at::Tensor& x) {
    auto [found, isNew] = sums_.try_emplace(group, x.size(1), device_);
    found->second.add(x);
}

std::map<std::string, at::Tensor> HessianSet::finish(int64_t windows) {
    std::map<std::string, at::Tensor> finished;
    while (!sums_.empty()) {
        auto sum = sums_.extract(sums_.begin());  // its memory goes before the next is written out
        finished.emplace(sum.key(), sum.mapped().finish(windows));
    }
    return finished;
}

}  // namespace owq
