// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/memory_forecast.h"

#include <gmock/gmock.h>

#include "tests/core/pipeline/large_model.h"
#include "tests/core/pipeline/sample_run.h"

namespace owq {
namespace {

using namespace owq::testing;
using ::testing::ElementsAre;

constexpr uint64_t kGiB = uint64_t(1) << 30;

MemoryForecast forecast(const Recipe& recipe, int blocks, int64_t windows = 128) {
    const ModelInfo info = large(blocks);
    return forecastMemory(info, recipe, planFor(info), windows, 2048, 50 << 20, 2);
}

std::vector<std::string> names(const MemoryForecast& f) {
    std::vector<std::string> all;
    for (const MemoryPhase& p : f.phases) all.push_back(p.name);
    return all;
}

TEST(MemoryForecast, NothingGrowsWithTheBlocks) {
    for (const char* preset : {"paper", "best"})
        EXPECT_EQ(forecast(weakRecipe(preset), 2).peak(), forecast(weakRecipe(preset), 32).peak()) << preset;
}

TEST(MemoryForecast, NamesThePhasesThatARunHas) {
    EXPECT_THAT(names(forecast(weakRecipe(), 2)), ElementsAre("loading a block", "collecting Hessians", "quantizing", "passing on"));
    EXPECT_THAT(names(forecast(weakRecipe(), 1)), ElementsAre("loading a block", "collecting Hessians", "quantizing"));
    Recipe greedy = weakRecipe();
    greedy.allocation = "greedy";
    EXPECT_EQ(names(forecast(greedy, 2)).front(), "choosing bits");
    EXPECT_THAT(names(forecast(weakRecipe("paper", Method::rtn), 2, 0)), ElementsAre("loading a block", "quantizing"));
}

TEST(MemoryForecast, TheFirstBlockHasNoInputsToCorrect) {
    Recipe corrected = weakRecipe();
    corrected.inputCorrection = 0.25;
    EXPECT_LT(forecast(corrected, 1).peak() + 2 * kGiB, forecast(corrected, 2).peak());
    corrected.trueSequential = true;  // there the block's later linears do
    EXPECT_GT(forecast(corrected, 1).peak() + 2 * kGiB, forecast(corrected, 2).peak());
}

TEST(MemoryForecast, AFileTakesTheActivations) {
    MemoryForecast f = forecast(weakRecipe(), 2);
    const uint64_t whole = f.peak();
    f.scratch = true;
    EXPECT_EQ(f.peak() + uint64_t(128) * 2048 * 4096 * 4, whole);
}

// Each changed model's states are kept: some hundred tokens for every linear, together about as much as the calibration windows.
TEST(MemoryForecast, ChoosingBitsTakesAboutAnotherSetOfActivations) {
    Recipe greedy = weakRecipe();
    greedy.allocation = "greedy";
    const double once = double(forecast(weakRecipe(), 32).activations), chosen = double(forecast(greedy, 32).activations);
    EXPECT_GT(chosen, 1.7 * once);
    EXPECT_LT(chosen, 2.1 * once);
}

}  // namespace
}  // namespace owq
