// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include "kernels/cuda/device_array.h"

namespace owq::kernels {

/// A test that needs a GPU: skipped, with the reason, never passed, where there is none.
class DeviceTest : public testing::Test {
protected:
    void SetUp() override {
        if (!cudaKernels().api) GTEST_SKIP() << cudaKernels().reason;
        api = cudaKernels().api;
    }
    template <class T>
    DeviceArray<T> onDevice(const std::vector<T>& values) {
        return DeviceArray<T>(*api, values);
    }
    template <class T>
    DeviceArray<T> room(int64_t count) {
        return DeviceArray<T>(*api, size_t(count));
    }
    /// Done and without a fault, also one that only comes up while the kernel runs.
    void run(int32_t answer) {
        ASSERT_EQ(answer, 0) << api->lastError();
        ASSERT_EQ(api->synchronize(nullptr), 0) << api->lastError();
    }

    const OwqCudaApi* api = nullptr;
};

}  // namespace owq::kernels
