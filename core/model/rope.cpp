// SPDX-License-Identifier: Apache-2.0
#include "core/model/rope.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>

#include <cmath>
#include <numbers>

#include "kernels/thread_pool.h"

namespace owq {
namespace {

float llama3Frequency(float frequency, const RopeConfig& config) {
    const double length = double(config.originalPositions), wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength < length / config.highFrequency) return frequency;
    if (wavelength > length / config.lowFrequency) return float(frequency / config.factor);
    const double t =
        (length / wavelength - config.lowFrequency) / (config.highFrequency - config.lowFrequency);
    return float(frequency * ((1 - t) / config.factor + t));
}

}  // namespace

Rope::Rope(const RopeConfig& config, int64_t headSize) : headSize_(headSize), size_(config.size ? config.size : headSize) {
    if (config.kind == RopeKind::none) return;
    frequencies_.resize(size_t(size_ / 2));
    for (size_t i = 0; i < frequencies_.size(); ++i) {
        // In fp32, as the models were trained with.
        float f = 1.0f / std::pow(float(config.theta), float(2 * i) / float(size_));
        if (config.kind == RopeKind::linear) f = float(f / config.factor);
        if (config.kind == RopeKind::llama3) f = llama3Frequency(f, config);
        frequencies_[i] = f;
    }
}

std::shared_ptr<const std::vector<float>> Rope::table(int64_t count) const {
    const std::lock_guard lock(mutex_);
    if (!table_ || int64_t(table_->size()) < count * size_) {
        const int64_t half = size_ / 2, rows = (count + 255) / 256 * 256;
        auto made = std::make_shared<std::vector<float>>(size_t(rows * size_));
        for (int64_t p = 0; p < rows; ++p)
            for (int64_t d = 0; d < half; ++d) {
                const float angle = float(p) * frequencies_[size_t(d)];
                (*made)[size_t(p * size_ + d)] = std::cos(angle);
                (*made)[size_t(p * size_ + half + d)] = std::sin(angle);
            }
        table_ = made;
    }
    return table_;
}

void Rope::apply(at::Tensor& x, int64_t first, bool back) const {
    if (frequencies_.empty()) return;
    const int64_t tokens = x.size(1), heads = x.size(2), half = size_ / 2;
    const auto held = table(first + tokens);
    const float* cosines = held->data();
    float* data = x.data_ptr<float>();
    const float sign = back ? -1.f : 1.f;
    kernels::parallelFor(x.size(0) * tokens, 64, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
            const float* c = cosines + (first + row % tokens) * size_;
            const float* s = c + half;
            for (int64_t h = 0; h < heads; ++h) {
                float* low = data + (row * heads + h) * headSize_;
                float* high = low + half;
                for (int64_t d = 0; d < half; ++d) {
                    const float a = low[d], b = high[d], sine = sign * s[d];
                    low[d] = a * c[d] - b * sine;
                    high[d] = b * c[d] + a * sine;
                }
            }
        }
    });
}

at::Tensor Rope::turned(const at::Tensor& x, int64_t first) const {
    if (frequencies_.empty()) return x;
    const int64_t tokens = x.size(1), half = size_ / 2;
    const auto held = table(first + tokens);
    at::Tensor angles;
    {
        const std::lock_guard lock(mutex_);
        const int64_t rows = int64_t(held->size()) / size_;
        if (!placedTable_.defined() || placedTable_.device() != x.device() || placedTable_.size(0) < rows)
            placedTable_ = at::from_blob(const_cast<float*>(held->data()), {rows, size_}, at::kFloat).to(x.device(), at::kFloat, false, true);
        angles = placedTable_.slice(0, first, first + tokens).unsqueeze(1);  // [t, 1, size]
    }
    const at::Tensor c = angles.slice(2, 0, half), s = angles.slice(2, half), low = x.slice(3, 0, half), high = x.slice(3, half, size_);
    const at::Tensor turnedLow = low.mul(c).sub_(high.mul(s)), turnedHigh = high.mul(c).add_(low.mul(s));
    if (size_ == headSize_) return at::cat({turnedLow, turnedHigh}, 3);
    return at::cat({turnedLow, turnedHigh, x.slice(3, size_)}, 3);
}

}  // namespace owq
