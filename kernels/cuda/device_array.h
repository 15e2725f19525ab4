// SPDX-License-Identifier: Apache-2.0
// Memory of the GPU with an owner, for C++ callers of the door.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cuda/loader.h"

namespace owq::kernels {

/// What a function of the door answered; throws std::runtime_error with the GPU's reason where it failed.
/// `what` says what was being done: "the range search".
inline void checkCuda(const OwqCudaApi& api, int32_t answer, const std::string& what) {
    if (answer) throw std::runtime_error(what + " failed on the GPU: " + api.lastError());
}

/// `count` values on the current GPU; their contents are undefined. Moves, does not copy. `api` must live as
/// long, as the one of cudaKernels() does.
template <class T>
class DeviceArray {
public:
    DeviceArray() = default;
    DeviceArray(const OwqCudaApi& api, size_t count) : api_(&api), count_(count) {
        if (count > SIZE_MAX / sizeof(T))
            throw std::runtime_error("an impossible amount of GPU memory was asked for");
        void* memory = nullptr;
        if (count)
            checkCuda(api, api.allocate(count * sizeof(T), &memory),
                      "taking " + std::to_string((count * sizeof(T) + 1048575) / 1048576) + " MiB of memory");
        data_ = static_cast<T*>(memory);
    }
    DeviceArray(const OwqCudaApi& api, const std::vector<T>& values) : DeviceArray(api, values.size()) {
        upload(values.data());
    }
    DeviceArray(DeviceArray&& other) noexcept
        : api_(other.api_),
          count_(std::exchange(other.count_, 0)),
          data_(std::exchange(other.data_, nullptr)) {}
    DeviceArray& operator=(DeviceArray&& other) noexcept {
        std::swap(api_, other.api_);
        std::swap(count_, other.count_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~DeviceArray() {
        if (data_) api_->release(data_);
    }

    T* data() { return data_; }
    const T* data() const { return data_; }
    size_t size() const { return count_; }

    /// Both copy all values, and wait for it and for the default stream.
    void upload(const T* from) {
        if (count_) checkCuda(*api_, api_->upload(data_, from, count_ * sizeof(T)), "copying to its memory");
    }
    std::vector<T> download() const {
        std::vector<T> values(count_);
        if (count_)
            checkCuda(*api_, api_->download(values.data(), data_, count_ * sizeof(T)),
                      "copying from its memory");
        return values;
    }

private:
    const OwqCudaApi* api_ = nullptr;
    size_t count_ = 0;
    T* data_ = nullptr;
};

}  // namespace owq::kernels
