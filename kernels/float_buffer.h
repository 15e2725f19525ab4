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
        const Free alignment{bytes() >= 2 * kLargePage ? kLargePage : kLine};
        data_ = {static_cast<float*>(::operator new(bytes(), std::align_val_t{alignment.of})), alignment};
        wantLargePages();
    }

    /// What stays for long: in pages of its own where it is large, so that no holes are left between such buffers in the heap.
    static FloatBuffer lasting(int64_t count) {
        FloatBuffer out;
        out.size_ = count;
#if defined(__linux__)
        if (out.bytes() >= 2 * kLargePage) {
            const size_t whole = out.bytes() + kLargePage;
            void* const from = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (from == MAP_FAILED) throw std::bad_alloc();
            const auto at = (reinterpret_cast<uintptr_t>(from) + kLargePage - 1) / kLargePage * kLargePage;
            out.data_ = {reinterpret_cast<float*>(at), [from, whole](float*) { ::munmap(from, whole); }};
            out.wantLargePages();
            return out;
        }
#endif
        return FloatBuffer(count);
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
    size_t bytes() const { return size_t(size_) * sizeof(float); }
    /// What is read once from end to end waits for its pages' addresses as well: one for 2 MiB in place of 512. A wish only.
    void wantLargePages() const {
#if defined(__linux__)
        if (bytes() >= 2 * kLargePage) ::madvise(data_.get(), bytes(), MADV_HUGEPAGE);
#endif
    }
    int64_t size_ = 0;
    std::shared_ptr<float> data_;
};

}  // namespace owq::kernels
