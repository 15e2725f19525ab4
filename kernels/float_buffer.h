// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace owq::kernels {

/// Floats at addresses that vectors like (a cache line's), not set to anything. Copies share them.
class FloatBuffer {
public:
    FloatBuffer() = default;
    explicit FloatBuffer(int64_t count) : size_(count) {
        const size_t bytes = size_t(count) * sizeof(float);
        const Free alignment{bytes >= 2 * kLargePage ? kLargePage : kLine};
        data_ = {static_cast<float*>(::operator new(bytes, std::align_val_t{alignment.of})), alignment};
#if defined(__linux__)
        // What is read once from end to end waits for its pages' addresses as well: one for 2 MiB in place of 512. A wish only.
        if (alignment.of == kLargePage) ::madvise(data_.get(), bytes, MADV_HUGEPAGE);
#endif
    }

    float* data() { return data_.get(); }
    const float* data() const { return data_.get(); }
    int64_t size() const { return size_; }
    void clear() { std::memset(data(), 0, size_t(size_) * sizeof(float)); }

private:
    static constexpr size_t kLine = 64, kLargePage = 1 << 21;
    struct Free {
        size_t of = kLine;
        void operator()(float* p) const { ::operator delete(p, std::align_val_t{of}); }
    };
    int64_t size_ = 0;
    std::shared_ptr<float> data_;
};

}  // namespace owq::kernels
