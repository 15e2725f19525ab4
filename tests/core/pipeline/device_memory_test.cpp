// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/device_memory.h"

#include <gtest/gtest.h>

#include "core/device/open_device.h"
#include "tests/core/pipeline/large_model.h"
#include "tests/core/pipeline/sample_run.h"

namespace owq {
namespace {

using testing::large;
using testing::planFor;

constexpr uint64_t kGiB = uint64_t(1) << 30;

TEST(DeviceMemory, ASevenBillionModelFitsALargeGpuAndItsActivationsCanStayApart) {
    const ModelInfo info = large();
    const Recipe recipe = testing::weakRecipe();
    MemoryForecast f = forecastDeviceMemory(info, recipe, planFor(info), 128, 2048, tokensPerPass(DeviceKind::cuda));
    EXPECT_EQ(f.activations, uint64_t(128) * 2048 * 4096 * 4);
    ASSERT_EQ(f.phases.size(), 4u);
    const uint64_t whole = f.peak();
    EXPECT_GT(whole, 8 * kGiB);
    EXPECT_LT(whole, 24 * kGiB);
    f.scratch = true;
    EXPECT_EQ(f.peak(), whole - f.activations);

    const MemoryForecast best = forecastDeviceMemory(info, testing::weakRecipe("best"), planFor(info), 128, 2048, 8192);
    EXPECT_GT(best.peak(), whole) << "two states of the model, and their differences";
    EXPECT_LT(best.peak(), 48 * kGiB);

    const MemoryForecast rounding = forecastDeviceMemory(info, testing::weakRecipe("paper", Method::rtn), planFor(info), 0, 0, 8192);
    EXPECT_EQ(rounding.phases.size(), 2u);
    EXPECT_LT(rounding.peak(), whole);
}

TEST(DeviceMemory, TheMachineHoldsTheActivationsOnlyWhereTheGpuDoesNot) {
    const ModelInfo info = large();
    const Recipe recipe = testing::weakRecipe();
    const MemoryForecast there = forecastHostMemory(info, recipe, planFor(info), 128, 2048, kGiB, false);
    const MemoryForecast here = forecastHostMemory(info, recipe, planFor(info), 128, 2048, kGiB, true);
    EXPECT_EQ(there.activations, 0u);
    EXPECT_EQ(here.peak(), there.peak() + here.activations);
    EXPECT_LT(there.peak(), 4 * kGiB);
}

}  // namespace
}  // namespace owq
