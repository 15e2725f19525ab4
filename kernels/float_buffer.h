// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace owq::kernels {

/// Floats at addresses that vectors like (a cache line's), not set to anything. Copies share them.
class FloatBuffer {
public:
    FloatBuffer() = default;
    explicit FloatBuffer(int64_t count)
        : size_(count), data_(static_cast<float*>(::operator new(size_t(count) * sizeof(float), kAlignment)), Free{}) {}

    float* data() { return data_.get(); }
    const float* data() const { return data_.get(); }
    int64_t size() const { return size_; }
    void clear() { std::memset(data(), 0, size_t(size_) * sizeof(float)); }

private:
    static constexpr std::align_val_t kAlignment{64};
    struct Free {
        void operator()(float* p) const { ::operator delete(p, kAlignment); }
    };
    int64_t size_ = 0;
    std::shared_ptr<float> data_;
};

}  // namespace owq::kernels
