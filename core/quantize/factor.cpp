// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/factor.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "core/base/progress.h"

namespace owq {
namespace {

/// One call may do about this many multiplications, so that a stop is never far.
constexpr int64_t kWorkAtOnce = 1'500'000'000;

bool goodPivots(const at::Tensor& lower) {
    const at::Tensor pivots = lower.diagonal();
    return pivots.isfinite().all().item<bool>() && pivots.gt(0).all().item<bool>();
}

/// In place, lower triangle, column block after column block.
bool cholesky(at::Tensor& a, int64_t block, const std::stop_token& stop) {
    const int64_t n = a.size(0);
    for (int64_t k = 0; k < n; k += block) {
        const int64_t end = std::min(n, k + block);
        if (k > 0) {
            const at::Tensor across = a.slice(0, k, end).slice(1, 0, k).mT();
            const int64_t rowsAtOnce = std::max<int64_t>(64, kWorkAtOnce / (k * (end - k)));
            for (int64_t r = k; r < n; r += rowsAtOnce) {
                checkStop(stop);
                const int64_t rEnd = std::min(n, r + rowsAtOnce);
                a.slice(0, r, rEnd).slice(1, k, end).addmm_(a.slice(0, r, rEnd).slice(1, 0, k), across, 1, -1);
            }
        }
        checkStop(stop);
        at::Tensor corner = a.slice(0, k, end).slice(1, k, end);
        const auto [lower, info] = at::linalg_cholesky_ex(corner);
        if (info.item<int32_t>() != 0 || !goodPivots(lower)) return false;
        corner.copy_(lower);
        if (end < n) {
            at::Tensor below = a.slice(0, end, n).slice(1, k, end);
            below.copy_(at::linalg_solve_triangular(lower.mT(), below, true, false));
        }
    }
    return true;
}

/// L⁻¹, column block after column block.
at::Tensor inverse(const at::Tensor& lower, int64_t block, const std::stop_token& stop) {
    const int64_t n = lower.size(0);
    at::Tensor result = at::zeros_like(lower);
    for (int64_t k = 0; k < n; k += block) {
        checkStop(stop);
        const int64_t end = std::min(n, k + block);
        result.slice(0, k, n).slice(1, k, end).copy_(at::linalg_solve_triangular(
            lower.slice(0, k, n).slice(1, k, n), at::eye(n - k, end - k, lower.options()), false));
    }
    return result;
}

}  // namespace

std::optional<at::Tensor> inverseFactor(at::Tensor hessian, const std::stop_token& stop) {
    const int64_t n = hessian.size(0);
    const int64_t block = std::clamp<int64_t>(kWorkAtOnce / std::max<int64_t>(1, n * n), 32, 256);
    at::Tensor reversed = at::flip(hessian, {0, 1});
    hessian.reset();
    if (!cholesky(reversed, block, stop)) return {};
    const at::Tensor factor = inverse(reversed, block, stop);
    if (!factor.diagonal().isfinite().all().item<bool>()) return {};
    return at::flip(factor, {0, 1}).to(at::kFloat).contiguous();
}

}  // namespace owq
