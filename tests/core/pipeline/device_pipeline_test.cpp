// SPDX-License-Identifier: Apache-2.0
// The whole walk as a GPU takes it, on host memory (tests/core/device/emulated_cuda.h), against the CPU's.
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>

#include "core/model/language_model.h"
#include "tests/core/device/emulated_cuda.h"
#include "tests/core/pipeline/sample_run.h"

namespace owq {
namespace {

using namespace owq::testing;

class DevicePipeline : public ::testing::TestWithParam<const char*> {
protected:
    void expectAsOnTheCpu(const Recipe& recipe, Agreement must = {}) {
        emulated::calls = 0;
        expectSameRun(GetParam(), recipe, emulatedDevice(), must);
        EXPECT_GT(emulated::calls, 0);
    }
};

TEST_P(DevicePipeline, EqualsTheCpu) { expectAsOnTheCpu(weakRecipe()); }

TEST_P(DevicePipeline, EqualsTheCpuWithRefinementAndCorrection) { expectAsOnTheCpu(weakRecipe("best"), {.codes = 0.99, .error = 5e-3}); }

TEST_P(DevicePipeline, EqualsTheCpuInSequenceAndInGroups) {
    Recipe recipe = weakRecipe();
    recipe.trueSequential = true;
    recipe.groupSize = 64;
    expectAsOnTheCpu(recipe, {.codes = 0.995});  // here a flipped code changes the inputs of its own block's later linears
}

TEST_P(DevicePipeline, RoundingAloneIsExact) {
    const Recipe recipe = weakRecipe("paper", Method::rtn);
    SampleRun onDevice(GetParam(), recipe, emulatedDevice()), onHost(GetParam(), recipe, nullptr);
    const MemorySink device = onDevice.run(), host = onHost.run();
    ASSERT_EQ(device.outcomes.size(), host.outcomes.size());
    for (const auto& [name, expected] : host.outcomes) EXPECT_EQ(device.outcomes.at(name).weight.codes, expected.weight.codes) << name;
}

TEST_P(DevicePipeline, ActivationsApartAndResumingChangeNothing) {
    SampleRun run(GetParam(), weakRecipe(), emulatedDevice(), 12);
    const MemorySink whole = run.run();

    // Stopped in the second block, and taken up again.
    MemorySink begun;
    std::stop_source stop;
    Progress progress([](const ProgressUpdate&) {});
    const OnLinear onLinear = [&](const LinearInfo& l, const LinearOutcome&, bool) {
        if (l.block == 1) stop.request_stop();
    };
    EXPECT_THROW(quantizeModel(run.input, begun, onLinear, progress, stop.get_token()), Cancelled);
    ASSERT_LT(begun.outcomes.size(), whole.outcomes.size());
    run.input.activationsApart = true;
    const MemorySink resumed = run.run(begun);
    ASSERT_EQ(resumed.outcomes.size(), whole.outcomes.size());
    for (const auto& [name, expected] : whole.outcomes) {
        EXPECT_EQ(resumed.outcomes.at(name).weight.codes, expected.weight.codes) << name;
        EXPECT_EQ(resumed.outcomes.at(name).weight.weakWeight, expected.weight.weakWeight) << name;
    }
}

TEST_P(DevicePipeline, BlocksComputeWhatTheCpusDo) {
    const LanguageModel model(ModelSource::open(sampleFolder() / (std::string("sample-") + GetParam())));
    const TokenWindows windows = someWindows(2, 70, model.info().vocabulary);
    at::Tensor ids = at::empty({2, 70}, at::kLong);
    for (int64_t i = 0; i < 140; ++i) ids.data_ptr<int64_t>()[i] = windows.ids[size_t(i)];
    const at::Tensor hidden = model.embed(ids);
    Block host = model.loadBlock(1), device = model.loadBlock(1, *emulatedDevice());
    const auto distance = [](const at::Tensor& a, const at::Tensor& b) { return a.sub(b).abs().max().item<float>(); };
    EXPECT_LT(distance(host.forward(hidden), device.forward(hidden)), 1e-4);
    KeyValueCache cache;
    const at::Tensor first = device.forward(hidden.narrow(1, 0, 40), {}, &cache), rest = device.forward(hidden.narrow(1, 40, 30), {}, &cache);
    EXPECT_LT(distance(rest, host.forward(hidden).narrow(1, 40, 30)), 1e-4);

    // A quantized weight is dequantized on the device as on the host, to the bit; a copy of the block keeps its own.
    const Block before = device;
    const MemorySink sink = SampleRun(GetParam(), weakRecipe(), nullptr, 4).run();
    for (const LinearInfo& l : host.linears()) {
        host.setWeight(l.name, sink.outcomes.at(l.name).weight);
        device.setWeight(l.name, sink.outcomes.at(l.name).weight);
        EXPECT_EQ(distance(host.linear(l.name).weight(), device.linear(l.name).weight()), 0) << l.name;
        EXPECT_GT(distance(before.linear(l.name).weight(), device.linear(l.name).weight()), 0) << l.name;
    }
}

TEST_P(DevicePipeline, AFailureOfTheGpuNamesTheLinear) {
    SampleRun run(GetParam(), weakRecipe(), emulatedDevice(), 4);
    emulated::failAfter = 60;
    EXPECT_THAT([&] { run.run(); }, ::testing::ThrowsMessage<Error>(::testing::HasSubstr("an emulated failure")));
    emulated::failAfter = -1;
}

INSTANTIATE_TEST_SUITE_P(Samples, DevicePipeline, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
