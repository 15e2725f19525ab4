// SPDX-License-Identifier: Apache-2.0
// Ownership of the GPU's memory, with a door whose memory is the host's.
#include "kernels/cuda/device_array.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

namespace owq::kernels {
namespace {

int held = 0;
bool full = false, broken = false;

int32_t copy(void* to, const void* from, size_t bytes) {
    if (broken) return 719;
    std::memcpy(to, from, bytes);
    return 0;
}

OwqCudaApi hostDoor() {
    OwqCudaApi api{};
    api.lastError = [] { return "unspecified launch failure"; };
    api.allocate = [](size_t bytes, void** device) {
        if (full) return int32_t(2);
        ++held;
        *device = std::malloc(bytes);
        return int32_t(0);
    };
    api.release = [](void* device) {
        --held;
        std::free(device);
    };
    api.upload = api.download = copy;
    return api;
}

class CudaDeviceArray : public testing::Test {
protected:
    void SetUp() override { full = broken = false; }
    void TearDown() override { EXPECT_EQ(held, 0); }
    const OwqCudaApi api = hostDoor();
};

TEST_F(CudaDeviceArray, HoldsWhatWasUploadedAndGivesItBack) {
    const std::vector<float> values = {1, 2, 3};
    DeviceArray<float> a(api, values);
    EXPECT_EQ(a.download(), values);
    DeviceArray<float> b = std::move(a);
    EXPECT_EQ(a.size(), 0u);
    EXPECT_EQ(a.data(), nullptr);
    EXPECT_EQ(b.download(), values);
    a = DeviceArray<float>(api, 7);
    a = std::move(b);
    EXPECT_EQ(a.download(), values);
}

TEST_F(CudaDeviceArray, NothingNeedsNoMemory) {
    DeviceArray<int32_t> none(api, size_t(0)), empty;
    EXPECT_EQ(none.data(), nullptr);
    EXPECT_TRUE(none.download().empty());
    EXPECT_EQ(held, 0);
}

TEST_F(CudaDeviceArray, FailuresAreToldAndLeaveNothingBehind) {
    broken = true;
    try {
        DeviceArray<float> a(api, std::vector<float>(5));
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("unspecified launch failure"), std::string::npos);
    }
    EXPECT_EQ(held, 0);
    full = true;
    EXPECT_THROW(DeviceArray<float>(api, size_t(5)), std::runtime_error);
    EXPECT_THROW(DeviceArray<double>(api, SIZE_MAX / 4), std::runtime_error);
}

}  // namespace
}  // namespace owq::kernels
