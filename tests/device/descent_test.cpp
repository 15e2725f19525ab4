// SPDX-License-Identifier: Apache-2.0
// Coordinate descent on the GPU against the CPU kernel.
#include "tests/device/device_test.h"
#include "tests/kernels/descent_case.h"

namespace owq::kernels {
namespace {

class DeviceDescent : public DeviceTest {
protected:
    DescentCase::Result onGpu(const DescentCase& p) {
        auto pull = onDevice(p.pull), hessian = onDevice(p.hessian), scale = onDevice(p.scale), zero = onDevice(p.zero);
        auto codes = onDevice(p.codes);
        auto grid = onDevice(p.grid);
        auto change = room<float>(p.rows * p.columns);
        const OwqCudaDescent block{.rows = p.rows, .columns = p.columns, .pull = pull.data(), .pullStride = p.stride(),
                                   .hessian = hessian.data(), .hessianStride = p.stride(), .scale = scale.data(), .zero = zero.data(),
                                   .gridStride = p.grids, .grid = grid.data(), .bits = p.bits, .codes = codes.data(),
                                   .codeStride = p.stride(), .change = change.data(), .changeStride = p.columns};
        run(api->descendBlock(&block, nullptr));
        return {codes.download(), change.download()};
    }
};

TEST_F(DeviceDescent, EqualsTheCpuKernelToTheBit) {
    expectDescentEqualsCpu([this](const DescentCase& p) { return onGpu(p); });
}

TEST_F(DeviceDescent, ImpossibleWorkIsRefused) {
    const OwqCudaDescent block{.rows = 1, .columns = 200};
    EXPECT_NE(api->descendBlock(&block, nullptr), 0);
    uint64_t bytes = 0;
    EXPECT_EQ(api->freeMemory(&bytes), 0);
    EXPECT_GT(bytes, 0u);
}

}  // namespace
}  // namespace owq::kernels
