// SPDX-License-Identifier: Apache-2.0
// The whole pipeline on a GPU against the CPU's run of the sample models. A program of its own, without HDF5 and Qt, so that it can be
// carried to a machine that has only PyTorch: LD_LIBRARY_PATH=…/torch/lib OWQ_SAMPLE_FOLDER=…/resources/sample.
#include "core/device/open_device.h"
#include "kernels/cuda/loader.h"
#include "tests/core/pipeline/sample_run.h"

namespace owq {
namespace {

using namespace owq::testing;

class GpuPipeline : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        if (!kernels::cudaKernels().api) GTEST_SKIP() << kernels::cudaKernels().reason;
        try {
            gpu = openDevice(DeviceKind::cuda);
        } catch (const Error& e) {
            GTEST_SKIP() << e.what();
        }
    }
    void expectAsOnTheCpu(const Recipe& recipe, Agreement must = {}) {
        expectSameRun(GetParam(), recipe, gpu, must);
    }
    std::shared_ptr<const Device> gpu;
};

TEST_P(GpuPipeline, EqualsTheCpu) { expectAsOnTheCpu(weakRecipe()); }

TEST_P(GpuPipeline, EqualsTheCpuWithRefinementAndCorrection) { expectAsOnTheCpu(weakRecipe("best"), {.codes = 0.99, .error = 5e-3}); }

TEST_P(GpuPipeline, EqualsTheCpuInSequenceAndInGroups) {
    Recipe recipe = weakRecipe();
    recipe.trueSequential = true;
    recipe.groupSize = 64;
    expectAsOnTheCpu(recipe, {.codes = 0.995});  // here a flipped code changes the inputs of its own block's later linears
}

TEST_P(GpuPipeline, RoundingAloneIsExactButForTies) {
    const Recipe recipe = weakRecipe("paper", Method::rtn);
    SampleRun onDevice(GetParam(), recipe, gpu), onHost(GetParam(), recipe, nullptr);
    const MemorySink device = onDevice.run(), host = onHost.run();
    for (const auto& [name, expected] : host.outcomes) EXPECT_EQ(shareEqual(device.outcomes.at(name), expected), 1) << name;
}

TEST_P(GpuPipeline, ASecondRunAndActivationsApartGiveTheSameBits) {
    SampleRun run(GetParam(), weakRecipe(), gpu);
    const MemorySink once = run.run(), again = run.run();
    run.input.activationsApart = true;
    const MemorySink apart = run.run();
    for (const auto& [name, expected] : once.outcomes) {
        EXPECT_EQ(again.outcomes.at(name).weight.codes, expected.weight.codes) << name;
        EXPECT_EQ(apart.outcomes.at(name).weight.codes, expected.weight.codes) << name;
        EXPECT_EQ(again.outcomes.at(name).weight.weakWeight, expected.weight.weakWeight) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(Samples, GpuPipeline, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
