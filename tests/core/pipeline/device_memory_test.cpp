// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/device_memory.h"

#include <gtest/gtest.h>

#include "core/device/open_device.h"
#include "tests/core/pipeline/sample_run.h"

namespace owq {
namespace {

constexpr uint64_t kGiB = uint64_t(1) << 30;

/// LLaMA-2-7B's shapes.
ModelInfo large() {
    ModelInfo info;
    info.hidden = 4096;
    info.blocks = 32;
    for (int b = 0; b < info.blocks; ++b)
        for (const auto& [kind, group, rows, columns] : std::vector<std::tuple<std::string, std::string, int64_t, int64_t>>{
                 {"q", "qkv", 4096, 4096}, {"k", "qkv", 4096, 4096}, {"v", "qkv", 4096, 4096}, {"o", "o", 4096, 4096},
                 {"gate", "up", 11008, 4096}, {"up", "up", 11008, 4096}, {"down", "down", 4096, 11008}}) {
            LinearInfo l;
            l.name = std::to_string(b) + kind;
            l.kind = kind;
            l.inputGroup = std::to_string(b) + group;
            l.block = b;
            l.rows = rows;
            l.columns = columns;
            info.linears.push_back(l);
        }
    return info;
}

BudgetPlan planFor(const ModelInfo& info) {
    BudgetPlan plan;
    for (const LinearInfo& l : info.linears) plan.linears.push_back({l.name, 3, 6, false});
    return plan;
}

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
