// SPDX-License-Identifier: Apache-2.0
// Packed models on a GPU against the CPU: text and losses. Skipped, with the reason, without one.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/device/open_device.h"
#include "core/evaluate/perplexity.h"
#include "core/generate/generator.h"
#include "kernels/cuda/loader.h"
#include "tests/core/evaluate/evaluation_windows.h"

namespace owq {
namespace {

using namespace owq::testing;

class GpuGeneration : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        if (!kernels::cudaKernels().api) GTEST_SKIP() << kernels::cudaKernels().reason;
        try {
            gpu = openDevice(DeviceKind::cuda);
        } catch (const Error& e) {
            GTEST_SKIP() << e.what();
        }
        packed = ModelSource::open(std::filesystem::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth", sampleModel(GetParam()));
    }
    std::shared_ptr<const Device> gpu;
    std::shared_ptr<const ModelSource> packed;
};

TEST_P(GpuGeneration, GivesTheTokensOfTheCpu) {
    Generator onDevice(packed, Arithmetic::exact, {}, gpu), onHost(packed, Arithmetic::exact);
    std::vector<int32_t> longPrompt(100);
    for (size_t i = 0; i < longPrompt.size(); ++i) longPrompt[i] = int32_t(17 * i + 5) % 2000;
    for (const std::vector<int32_t>& prompt : {std::vector<int32_t>{5, 300, 77, 1200, 41, 900, 12}, longPrompt, {11}}) {
        const SamplingOptions options{.maxTokens = 60, .stopAtEnd = false};
        const std::vector<int32_t> ids = onDevice.generate(prompt, options).ids;
        EXPECT_EQ(ids, onHost.generate(prompt, options).ids);
        EXPECT_EQ(ids, onDevice.generate(prompt, options).ids) << "equal inputs give equal bits";
    }
}

TEST_P(GpuGeneration, LosesAsMuchAsTheCpu) {
    for (int64_t length : {40, 256})
        for (Arithmetic arithmetic : {Arithmetic::dense, Arithmetic::exact, Arithmetic::int8}) {
            PerplexityOptions options;
            options.arithmetic = arithmetic;
            options.device = gpu;
            const int64_t count = length <= 64 ? 1 : 3;  // up to 64 tokens at a time are multiplied packed
            const TokenWindows few = windows(GetParam(), "heldout", count, length);
            const PerplexityResult onDevice = perplexity(packed, few, options);
            const PerplexityResult onHost = perplexity(packed, few);
            // One half an input rounds it to 11 bits.
            const double tolerance = arithmetic == Arithmetic::int8 && length <= 64 ? 3e-3 : 2e-5;
            for (size_t w = 0; w < size_t(count); ++w) EXPECT_NEAR(onDevice.windowNll[w], onHost.windowNll[w], tolerance);
        }
}

INSTANTIATE_TEST_SUITE_P(Samples, GpuGeneration, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
