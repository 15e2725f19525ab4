// SPDX-License-Identifier: Apache-2.0
#include "core/calibrate/correction.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cholesky_solve.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/zeros.h>

namespace owq {

void InputDrift::add(const std::string& group, const at::Tensor& x, const at::Tensor& y) {
    const at::NoGradGuard guard;
    auto [found, isNew] = sums_.try_emplace(group);
    if (isNew) found->second = at::zeros({x.size(1), x.size(1)}, x.options());
    // The difference first: it is small, and so are the digits lost.
    found->second.addmm_(x.sub(y).t(), y);
}

at::Tensor InputDrift::correction(const std::string& group, const at::Tensor& hessian, int64_t windows,
                                  double damping, double strength) const {
    const at::NoGradGuard guard;
    const auto found = sums_.find(group);
    if (found == sums_.end()) return {};
    at::Tensor h = hessian.to(at::kDouble);
    const at::Tensor diagonal = h.diagonal();
    diagonal.add_(damping * diagonal.mean().item<double>());
    // An input that was always 0 has nothing to correct.
    diagonal.masked_fill_(diagonal.eq(0), 1);
    const auto [lower, info] = at::linalg_cholesky_ex(h);
    if (info.item<int32_t>() != 0) return {};
    const at::Tensor drift = found->second.to(at::kDouble).mul(2.0 * strength / double(windows));
    return at::cholesky_solve(drift.t().contiguous(), lower).t().to(at::kFloat).contiguous();
}

}  // namespace owq
