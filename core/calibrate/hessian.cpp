// SPDX-License-Identifier: Apache-2.0
#include "core/calibrate/hessian.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/base/error.h"

namespace owq {
namespace {

constexpr int64_t kTokens = 4096;  // of one product: longer fp32 chains lose digits
constexpr int64_t kStrip =
    512;  // columns: strips below the diagonal save up to half the work, narrow ones slow the product down

}  // namespace

Hessian::Hessian(int64_t columns) : columns_(columns) {
    const at::NoGradGuard guard;
    sum_ = at::zeros({columns, columns}, at::TensorOptions(at::kFloat));
}

void Hessian::add(const at::Tensor& x) {
    const at::NoGradGuard guard;
    if (x.dim() != 2 || x.size(1) != columns_)
        throw Error("an input of another width than the Hessian's " + std::to_string(columns_) + " columns");
    for (int64_t first = 0; first < x.size(0); first += kTokens) {
        const at::Tensor part = x.narrow(0, first, std::min(kTokens, x.size(0) - first));
        const at::Tensor transposed = part.t();
        for (int64_t begin = 0; begin < columns_; begin += kStrip) {
            const int64_t end = std::min(columns_, begin + kStrip);
            at::Tensor below = sum_.narrow(0, begin, columns_ - begin).narrow(1, begin, end - begin);
            below.addmm_(transposed.narrow(0, begin, columns_ - begin), part.narrow(1, begin, end - begin));
        }
    }
    tokens_ += x.size(0);
}

at::Tensor Hessian::finish(int64_t windows) {
    const at::NoGradGuard guard;
    float* h = sum_.data_ptr<float>();
    const float factor = 2.0f / float(windows);
    constexpr int64_t kTile = 64;  // the mirrored writes go down columns: keep them within the cache
    for (int64_t r0 = 0; r0 < columns_; r0 += kTile)
        for (int64_t c0 = 0; c0 <= r0; c0 += kTile)
            for (int64_t r = r0; r < std::min(columns_, r0 + kTile); ++r)
                for (int64_t c = c0; c <= std::min(r, c0 + kTile - 1); ++c)
                    h[c * columns_ + r] = h[r * columns_ + c] = h[r * columns_ + c] * factor;
    return std::move(sum_);
}

void HessianSet::add(const std::string& group, const at::Tensor& x) {
    auto [found, isNew] = sums_.try_emplace(group, x.size(1));
    found->second.add(x);
}

std::map<std::string, at::Tensor> HessianSet::finish(int64_t windows) {
    std::map<std::string, at::Tensor> finished;
    for (auto& [group, hessian] : sums_) finished.emplace(group, hessian.finish(windows));
    sums_.clear();
    return finished;
}

}  // namespace owq
