// SPDX-License-Identifier: Apache-2.0
#include "core/generate/generator.h"

#include <ATen/ops/argmax.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "core/base/file.h"
#include "core/generate/sampler.h"
#include "core/model/config.h"
#include "tests/core/device/emulated_cuda.h"
#include "tests/core/jobs/temporary_folder.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

using namespace owq::testing;

const std::vector<int32_t> kPrompt{5, 300, 77, 1200, 41, 900, 12};

class Generate : public ::testing::TestWithParam<const char*> {
protected:
    const std::shared_ptr<const ModelSource> source = ModelSource::open(sampleModel(GetParam()));
    Generator generator{source};
};

TEST_P(Generate, CachedDecodingEqualsFullRecomputation) {
    const LanguageModel model(source);
    std::vector<int32_t> all = kPrompt, expected;
    for (int i = 0; i < 12; ++i) {
        const at::Tensor logits = model.forward(idTensor(all.data(), 1, int64_t(all.size())));
        const int32_t id = int32_t(logits.select(1, logits.size(1) - 1).argmax().item().toLong());
        if (id == 2) break;
        all.push_back(id);
        expected.push_back(id);
    }
    std::vector<int32_t> seen;
    const Generation got = generator.generate(kPrompt, {.maxTokens = 12}, [&](int32_t id) {
        seen.push_back(id);
        return true;
    });
    EXPECT_EQ(got.ids, expected);
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(got.stopReason, expected.size() == 12 ? "length" : "end of text");
    EXPECT_EQ(generator.generate(kPrompt, {.maxTokens = 12}).ids, expected)
        << "a second text does not see the first";
}

TEST_P(Generate, StopsWhereItShould) {
    const int64_t context = source->info().maxPositions;
    std::vector<int32_t> longPrompt(size_t(context - 3), 500);
    const Generation full = generator.generate(longPrompt, {.maxTokens = 100, .temperature = 2, .seed = 3});
    EXPECT_THAT(full.stopReason, ::testing::AnyOf("context full", "end of text"));
    EXPECT_LE(full.ids.size(), 4u);
    longPrompt.resize(size_t(context + 1), 500);
    EXPECT_THROW(generator.generate(longPrompt), Error);
    EXPECT_THROW(generator.generate({}), Error);
    const std::vector<int32_t> foreign{5000};
    EXPECT_THROW(generator.generate(foreign), Error);
    EXPECT_EQ(generator.generate(kPrompt, {.maxTokens = 9}, [](int32_t) { return false; }).ids.size(), 1u);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(generator.generate(kPrompt, {}, {}, stop.get_token()), Cancelled);
}

TEST_P(Generate, ASeedGivesOneText) {
    const SamplingOptions options{.maxTokens = 10, .temperature = 1, .topP = 0.9, .seed = 11};
    const std::vector<int32_t> first = generator.generate(kPrompt, options).ids;
    EXPECT_EQ(generator.generate(kPrompt, options).ids, first);
    SamplingOptions other = options;
    other.seed = 12;
    EXPECT_NE(generator.generate(kPrompt, other).ids, first);
}

TEST_P(Generate, PackedWeightsGiveTheTokensOfDequantizedOnes) {
    const std::filesystem::path file = std::filesystem::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth";
    const auto packed = ModelSource::open(file, sampleModel(GetParam()));
    Generator dense(packed, Arithmetic::dense), exact(packed, Arithmetic::exact);
    for (const std::vector<int32_t>& prompt : {kPrompt, {7, 7, 2000}, {11}}) {
        const std::vector<int32_t> expected = dense.generate(prompt, {.maxTokens = 100}).ids;
        EXPECT_EQ(exact.generate(prompt, {.maxTokens = 100}).ids, expected);
    }
}

TEST_P(Generate, AGpuGivesTheTokensOfTheCpu) {
    const std::filesystem::path file = std::filesystem::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth";
    const auto packed = ModelSource::open(file, sampleModel(GetParam()));
    Generator host(packed, Arithmetic::exact), gpu(packed, Arithmetic::exact, {}, emulatedDevice());
    std::vector<int32_t> longPrompt(100);
    for (size_t i = 0; i < longPrompt.size(); ++i) longPrompt[i] = int32_t(17 * i + 5) % 2000;
    for (const std::vector<int32_t>& prompt : {kPrompt, longPrompt, {11}}) {
        emulated::products = emulated::dequantized = 0;
        const std::vector<int32_t> expected = host.generate(prompt, {.maxTokens = 20, .stopAtEnd = false}).ids;
        EXPECT_EQ(gpu.generate(prompt, {.maxTokens = 20, .stopAtEnd = false}).ids, expected);
        const int linears = int(packed->info().linears.size());
        EXPECT_EQ(emulated::products, linears * (prompt.size() > 64 ? 19 : 20));
        EXPECT_EQ(emulated::dequantized, prompt.size() > 64 ? linears : 0) << "a long prompt is multiplied dense";
    }
    emulated::failAfter = 20;
    EXPECT_THROW(gpu.generate(kPrompt, {.maxTokens = 4}), Error);
    EXPECT_EQ(emulated::failAfter, -1);
    EXPECT_EQ(gpu.generate(std::vector<int32_t>{7}, {.maxTokens = 3, .stopAtEnd = false}).ids, host.generate(std::vector<int32_t>{7}, {.maxTokens = 3, .stopAtEnd = false}).ids);
}

INSTANTIATE_TEST_SUITE_P(Samples, Generate, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Sampler, DrawsByProbabilityWithinTheNucleus) {
    const std::vector<float> logits{std::log(0.5f), std::log(0.3f), std::log(0.15f), std::log(0.05f)};
    std::vector<int> all(4), nucleus(4);
    Sampler free({.temperature = 1, .seed = 1}), cut({.temperature = 1, .topP = 0.75, .seed = 1});
    for (int i = 0; i < 20000; ++i) {
        ++all[size_t(free.draw(logits))];
        ++nucleus[size_t(cut.draw(logits))];
    }
    EXPECT_NEAR(all[0], 10000, 400);
    EXPECT_NEAR(all[3], 1000, 200);
    EXPECT_NEAR(nucleus[0], 12500, 400);
    EXPECT_EQ(nucleus[2] + nucleus[3], 0);
    Sampler greedy(SamplingOptions{});
    EXPECT_EQ(greedy.draw(logits), 0);
}

TEST(Sampler, RefusesImpossibleOptions) {
    EXPECT_THROW(Sampler({.maxTokens = 0}), Error);
    EXPECT_THROW(Sampler({.temperature = -1}), Error);
    EXPECT_THROW(Sampler({.topP = 0}), Error);
    EXPECT_THROW(Sampler({.topP = 1.5}), Error);
    Sampler greedy(SamplingOptions{});
    EXPECT_THROW(greedy.draw(std::vector<float>{NAN, NAN}), Error);
}

TEST(Sampler, RefusesLogitsThatAreNoNumbers) {
    for (const double temperature : {0.0, 1.0})
        for (const double topP : {0.5, 1.0}) {
            Sampler sampler({.temperature = temperature, .topP = topP});
            for (const std::vector<float>& logits : {std::vector<float>{1, NAN, 0}, {0, 1, NAN}, {NAN, 1, 0}, {INFINITY, 0, 1}, {-INFINITY, -INFINITY}})
                EXPECT_THROW(sampler.draw(logits), Error);
            EXPECT_EQ(sampler.draw(std::vector<float>{-INFINITY, 1, -INFINITY}), 1) << "a token ruled out is no fault";
        }
}

/// The nucleus of a whole sort.
int32_t drawnFromAWholeSort(const std::vector<float>& logits, double temperature, double topP, double uniform) {
    const double best = *std::max_element(logits.begin(), logits.end());
    std::vector<double> p;
    for (const float logit : logits) p.push_back(std::exp((double(logit) - best) / temperature));
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    std::vector<int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return p[size_t(a)] > p[size_t(b)]; });
    double kept = 0, sum = 0;
    size_t count = 0;
    while (count < order.size() && kept < topP * total) kept += p[size_t(order[count++])];
    for (size_t i = 0; i < count; ++i)
        if (uniform * kept < (sum += p[size_t(order[i])])) return order[i];
    return order[count - 1];
}

TEST(Sampler, DrawsAsFromAWholeSort) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    for (const float width : {0.f, 0.1f, 1.f, 6.f})  // from all alike to a few that matter
        for (const double topP : {0.1, 0.9, 0.999999}) {
            std::vector<float> logits(3000);
            for (float& logit : logits) logit = std::round(16 * width * normal(random)) / 16;  // with many equal ones
            Sampler sampler({.temperature = 0.8, .topP = topP, .seed = 9}), uniform({.temperature = 1, .seed = 9});
            for (int i = 0; i < 20; ++i) {
                // Of so many equal tokens the one drawn is the random number.
                const int32_t drawn = uniform.draw(std::vector<float>(1u << 16));
                const double low = (drawn + 1e-3) / (1 << 16), high = (drawn + 1 - 1e-3) / (1 << 16);
                const int32_t expected = drawnFromAWholeSort(logits, 0.8, topP, low);
                const int32_t id = sampler.draw(logits);
                if (expected != drawnFromAWholeSort(logits, 0.8, topP, high)) continue;  // the random number is not known exactly enough
                EXPECT_EQ(id, expected) << width << " " << topP;
            }
        }
}

TEST(EndTokens, AreThoseOfBothConfigurations) {
    TemporaryFolder folder;
    const auto tokens = [&](const std::string& generation) {
        writeText(folder / "generation_config.json", generation);
        return endTokens({2, 7}, folder.path());
    };
    EXPECT_EQ(endTokens({2}, folder.path()), std::vector<int64_t>{2}) << "without such a file";
    EXPECT_EQ(tokens(R"({"eos_token_id": [7, 128008, 128009]})"), (std::vector<int64_t>{2, 7, 128008, 128009}));
    EXPECT_EQ(tokens(R"({"eos_token_id": 5})"), (std::vector<int64_t>{2, 7, 5}));
    EXPECT_EQ(tokens(R"({"eos_token_id": null})"), (std::vector<int64_t>{2, 7}));
    EXPECT_EQ(tokens("{}"), (std::vector<int64_t>{2, 7}));
    for (const char* wrong : {"[1]", R"({"eos_token_id": "two"})", R"({"eos_token_id": [1.5]})", "{"}) EXPECT_THROW(tokens(wrong), Error) << wrong;
}

TEST_P(Generate, EndsAtATokenOfTheGenerationConfiguration) {
    const std::vector<int32_t> ids = generator.generate(kPrompt, {.maxTokens = 4, .stopAtEnd = false}).ids;
    TemporaryFolder folder;
    const std::filesystem::path copy = folder / "model";
    std::filesystem::copy(sampleModel(GetParam()), copy, std::filesystem::copy_options::recursive);
    writeText(copy / "generation_config.json", Json{{"eos_token_id", {ids[2]}}}.dump());
    Generator ending(ModelSource::open(copy));
    const Generation got = ending.generate(kPrompt, {.maxTokens = 4});
    EXPECT_EQ(got.stopReason, "end of text");
    EXPECT_EQ(got.ids, std::vector<int32_t>(ids.begin(), std::find(ids.begin(), ids.end(), ids[2])));
}

}  // namespace
}  // namespace owq
