// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/perplexity.h"

#include <ATen/ops/gather.h>
#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/evaluate/divergence.h"
#include "tests/core/device/emulated_cuda.h"
#include "tests/core/evaluate/evaluation_windows.h"

namespace owq {
namespace {

using namespace owq::testing;

class Perplexity : public ::testing::TestWithParam<const char*> {
protected:
    const std::shared_ptr<const ModelSource> source = ModelSource::open(sampleModel(GetParam()));
};

TEST_P(Perplexity, EqualsLogSoftmaxOfAFullPassHoweverItIsCut) {
    const TokenWindows few = windows(GetParam(), "heldout", 3, 96);
    const LanguageModel model(source);
    std::vector<double> expected;
    for (int64_t w = 0; w < 3; ++w) {
        const at::Tensor ids = idTensor(few.window(w), 1, 96);
        const at::Tensor logs = model.forward(ids).select(0, 0).to(at::kDouble).log_softmax(1);
        expected.push_back(
            -logs.narrow(0, 0, 95).gather(1, ids.narrow(1, 1, 95).t()).mean().item().toDouble());
    }
    for (const PerplexityOptions& options : {PerplexityOptions{}, PerplexityOptions{1, 1}}) {
        std::vector<double> fractions;
        const PerplexityResult got =
            perplexity(source, few, options, {}, [&](double f, int) { fractions.push_back(f); });
        ASSERT_EQ(got.windowNll.size(), 3u);
        for (size_t w = 0; w < 3; ++w) EXPECT_NEAR(got.windowNll[w], expected[w], 1e-5);
        EXPECT_EQ(got.tokens, 3 * 95);
        EXPECT_NEAR(got.nll, 95 * (expected[0] + expected[1] + expected[2]), 1e-3);
        EXPECT_NEAR(got.perplexity, std::exp((expected[0] + expected[1] + expected[2]) / 3), 1e-3);
        EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
        EXPECT_NEAR(fractions.back(), 1, 1e-12);
    }
}

TEST_P(Perplexity, RefusesWindowsThatDoNotFitAndStops) {
    EXPECT_THROW(perplexity(source, windows(GetParam(), "heldout", 1, 513)), Error);
    EXPECT_THROW(perplexity(source, windows(GetParam(), "heldout", 1, 1)), Error);
    EXPECT_THROW(perplexity(source, TokenWindows{}), Error);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(perplexity(source, windows(GetParam(), "heldout", 1, 64), {}, stop.get_token()), Cancelled);
}

TEST_P(Perplexity, HardlyDependsOnTheArithmeticOfPackedLinears) {
    const auto packed = ModelSource::open(std::filesystem::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth", sampleModel(GetParam()));
    const TokenWindows few = windows(GetParam(), "heldout", 4, 256);
    const auto measured = [&](Arithmetic arithmetic) {
        PerplexityOptions options;
        options.arithmetic = arithmetic;
        return perplexity(packed, few, options).perplexity;
    };
    const double dense = measured(Arithmetic::dense);
    EXPECT_NEAR(measured(Arithmetic::exact) / dense, 1, 2e-6);
    EXPECT_NEAR(measured(Arithmetic::doubleInt8) / dense, 1, 1e-4);
    EXPECT_GT(std::abs(measured(Arithmetic::int8) / dense - 1), 1e-3) << "asked for less, got less";
}

TEST_P(Perplexity, IsTheSameOnAGpu) {
    const auto packed = ModelSource::open(std::filesystem::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth", sampleModel(GetParam()));
    for (Arithmetic arithmetic : {Arithmetic::dense, Arithmetic::exact})
        for (int64_t length : {40, 80}) {
            const int64_t count = length <= 64 ? 1 : 2;  // up to 64 tokens at a time are multiplied packed
            const TokenWindows few = windows(GetParam(), "heldout", count, length);
            PerplexityOptions options;
            options.arithmetic = arithmetic;
            const PerplexityResult host = perplexity(packed, few, options);
            options.device = emulatedDevice();
            emulated::products = 0;
            const PerplexityResult gpu = perplexity(packed, few, options);
            EXPECT_EQ(emulated::products > 0, arithmetic == Arithmetic::exact && length <= 64);
            for (size_t w = 0; w < size_t(count); ++w) EXPECT_NEAR(gpu.windowNll[w], host.windowNll[w], 1e-5);
            if (length > 64) continue;
            EXPECT_NEAR(divergence(packed, {packed}, few, options).kl.mean, 0, 1e-6);
        }
}

INSTANTIATE_TEST_SUITE_P(Samples, Perplexity, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
