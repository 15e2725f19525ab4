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

/// c -= a bᵀ, some rows at a time.
void subtractProduct(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b, const std::stop_token& stop) {
    const at::Tensor across = b.mT();
    const int64_t rows = c.size(0), atOnce = std::max<int64_t>(64, kWorkAtOnce / (b.size(0) * b.size(1)));
    for (int64_t r = 0; r < rows; r += atOnce) {
        checkStop(stop);
        const int64_t end = std::min(rows, r + atOnce);
        c.slice(0, r, end).addmm_(a.slice(0, r, end), across, 1, -1);
    }
}

int64_t halfOf(int64_t n) { return (n / 2 + kBlock - 1) / kBlock * kBlock; }

/// c -= a aᵀ, of which only the lower triangle counts.
void subtractSquare(const at::Tensor& c, const at::Tensor& a, const std::stop_token& stop) {
    const int64_t n = c.size(0), half = halfOf(n);
    if (n <= 2 * kBlock) return subtractProduct(c, a, a, stop);
    const at::Tensor top = a.slice(0, 0, half), bottom = a.slice(0, half, n);
    subtractSquare(c.slice(0, 0, half).slice(1, 0, half), top, stop);
    subtractProduct(c.slice(0, half, n).slice(1, 0, half), bottom, top, stop);
    subtractSquare(c.slice(0, half, n).slice(1, half, n), bottom, stop);
}

/// x ← x L⁻ᵀ.
void divide(const at::Tensor& x, const at::Tensor& lower, const std::stop_token& stop) {
    const int64_t n = lower.size(0), half = halfOf(n);
    checkStop(stop);
    if (n <= kBlock) {
        x.copy_(at::linalg_solve_triangular(lower.mT(), x, true, false));
        return;
    }
    const at::Tensor left = x.slice(1, 0, half), right = x.slice(1, half, n);
    divide(left, lower.slice(0, 0, half).slice(1, 0, half), stop);
    subtractProduct(right, left, lower.slice(0, half, n).slice(1, 0, half), stop);
    divide(right, lower.slice(0, half, n).slice(1, half, n), stop);
}

/// In place, lower triangle, halves by halves: nearly all of it is products of large squares.
bool cholesky(const at::Tensor& a, const std::stop_token& stop) {
    const int64_t n = a.size(0), half = halfOf(n);
    checkStop(stop);
    if (n <= kBlock) {
        const auto [lower, info] = at::linalg_cholesky_ex(a);
        if (info.item<int32_t>() != 0 || !goodPivots(lower)) return false;
        a.copy_(lower);
        return true;
    }
    const at::Tensor top = a.slice(0, 0, half).slice(1, 0, half), corner = a.slice(0, half, n).slice(1, 0, half),
                     bottom = a.slice(0, half, n).slice(1, half, n);
    if (!cholesky(top, stop)) return false;
    divide(corner, top, stop);
    subtractSquare(bottom, corner, stop);
    return cholesky(bottom, stop);
}

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
        if (!cholesky(reversed, stop)) return {};
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
