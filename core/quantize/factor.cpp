// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/factor.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <cmath>

#include "core/base/progress.h"
#include "kernels/cholesky.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

/// One call may do about this many multiplications, so that a stop is never far.
constexpr int64_t kWorkAtOnce = 4'000'000'000;
constexpr int64_t kBlock = 256;

bool goodPivots(const at::Tensor& lower) {
    const at::Tensor pivots = lower.diagonal();
    return pivots.isfinite().all().item<bool>() && pivots.gt(0).all().item<bool>();
}

int64_t halfOf(int64_t n) { return (n / 2 + kBlock - 1) / kBlock * kBlock; }

/// L to L⁻¹ in place, halves by halves: nearly all of it is products.
void invert(at::Tensor lower, const std::stop_token& stop) {
    const int64_t n = lower.size(0);
    checkStop(stop);
    if (n <= kBlock) {
        lower.copy_(at::linalg_solve_triangular(lower, at::eye(n, lower.options()), false));
        return;
    }
    const int64_t half = halfOf(n);
    const at::Tensor top = lower.slice(0, 0, half).slice(1, 0, half), bottom = lower.slice(0, half, n).slice(1, half, n);
    invert(top, stop);
    invert(bottom, stop);
    // L₂₁ ← -L₂₂⁻¹ L₂₁ L₁₁⁻¹, some columns at a time
    at::Tensor corner = lower.slice(0, half, n).slice(1, 0, half);
    const int64_t across = std::clamp<int64_t>(kWorkAtOnce / (n * n), 32, half);
    for (int64_t c = 0; c < half; c += across) {
        checkStop(stop);
        at::Tensor part = corner.slice(1, c, std::min(half, c + across));
        part.copy_(at::mm(bottom, part));
    }
    const int64_t down = std::clamp<int64_t>(kWorkAtOnce / (half * half), 32, n - half);
    for (int64_t r = 0; r < n - half; r += down) {
        checkStop(stop);
        at::Tensor part = corner.slice(0, r, std::min(n - half, r + down));
        part.copy_(at::mm(part, top).neg_());
    }
}

}  // namespace

std::optional<Factor> factorize(const Device& device, at::Tensor reversed, bool inverted, const std::stop_token& stop) {
    if (device.isHost()) {
        const bool positive = kernels::cholesky(reversed.data_ptr<double>(), reversed.size(0), stop);
        checkStop(stop);
        if (!positive) return {};
    } else {
        checkStop(stop);
        const auto [lower, info] = at::linalg_cholesky_ex(reversed);
        if (info.item<int32_t>() != 0 || !goodPivots(lower)) return {};
        reversed = lower;
    }
    const int64_t n = reversed.size(0);
    const at::Tensor pivot = reversed.diagonal().flip(0).reciprocal();
    Factor factor{{}, pivot.to(at::kFloat), inverted};
    if (!factor.pivot.isfinite().all().item<bool>()) return {};
    if (inverted) {
        reversed.tril_();  // what lies above the diagonal is still H's
        invert(reversed, stop);
    }
    if (device.isHost()) {
        // One pass, and no second matrix of doubles.
        factor.unit = at::empty({n, n}, at::kFloat);
        float* const unit = factor.unit.data_ptr<float>();
        const double *const lower = reversed.const_data_ptr<double>(), *const scale = pivot.const_data_ptr<double>();
        kernels::parallelFor(n, 16, [&](int64_t begin, int64_t end) {
            for (int64_t j = begin; j < end; j++) {
                const double* from = lower + (n - 1 - j) * n + n - 1;
                std::fill_n(unit + j * n, j, 0.f);
                for (int64_t k = j; k < n; k++) unit[j * n + k] = float(inverted ? from[-k] : from[-k] * scale[k]);
            }
        });
    } else {
        if (!inverted) reversed.mul_(pivot.flip(0));
        factor.unit = reversed.to(at::kFloat).tril_().flip({0, 1}).contiguous();  // LibTorch factorizes by columns
    }
    if (!factor.unit.diagonal().isfinite().all().item<bool>()) return {};
    return factor;
}

}  // namespace owq
