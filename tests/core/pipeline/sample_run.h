// SPDX-License-Identifier: Apache-2.0
// A sample model quantized on a device, into memory, and the comparison with the CPU's run.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "core/base/error.h"
#include "core/checkpoint/tensor_file.h"
#include "core/pipeline/quantize_model.h"

namespace owq::testing {

/// The folder that holds the sample models: $OWQ_SAMPLE_FOLDER, for a program that was carried to another machine, else the tree's.
inline std::filesystem::path sampleFolder() {
    const char* named = std::getenv("OWQ_SAMPLE_FOLDER");
    return named && *named ? named : OWQ_SAMPLE;
}

class MemorySink : public LayerSink {
public:
    bool has(const std::string& linear) const override { return outcomes.contains(linear); }
    LinearOutcome load(const std::string& linear) const override { return outcomes.at(linear); }
    void store(const LinearInfo& linear, const LinearOutcome& outcome) override { outcomes[linear.name] = outcome; }
    std::map<std::string, LinearOutcome> outcomes;
};

/// Words that follow a rule: no file of tokens is needed, and each window differs.
inline TokenWindows someWindows(int64_t count, int64_t length, int64_t vocabulary) {
    TokenWindows windows;
    windows.length = length;
    uint64_t state = 12345;
    for (int64_t i = 0; i < count * length; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const uint64_t draw = state >> 33;
        windows.ids.push_back(int32_t(4 + (draw % 3 ? draw % 200 : draw % uint64_t(vocabulary - 4))));
    }
    return windows;
}

struct SampleRun {
    std::shared_ptr<const ModelSource> model;
    TokenWindows windows;
    PipelineInput input;

    SampleRun(const std::string& family, const Recipe& recipe, std::shared_ptr<const Device> device, int64_t count = 24, int64_t length = 128)
        : model(ModelSource::open(sampleFolder() / ("sample-" + family))), windows(someWindows(count, length, model->info().vocabulary)) {
        input.model = model;
        if (recipe.method != Method::rtn) input.windows = &windows;
        input.recipe = recipe;
        input.plan = planBudget(model->info(), recipe);
        input.device = std::move(device);
    }
    SampleRun(const SampleRun&) = delete;

    MemorySink run(MemorySink sink = {}, std::stop_token stop = {}, const OnLinear& onLinear = {}) {
        Progress progress([](const ProgressUpdate&) {});
        quantizeModel(input, sink, onLinear, progress, stop);
        return sink;
    }
};

inline double shareEqual(const LinearOutcome& a, const LinearOutcome& b) {
    int64_t equal = 0;
    for (size_t i = 0; i < a.weight.codes.size(); ++i) equal += a.weight.codes[i] == b.weight.codes[i];
    return double(equal) / double(a.weight.codes.size());
}

/// Two runs that round differently part ways: one flipped code changes every later input. So each block is taken for itself, with the
/// host's results in all others: then nearly all of its codes are equal, and so is what they amount to.
struct Agreement {
    double codes = 0.999;  ///< share of a linear's codes that must be equal
    double error = 1e-3;   ///< relative difference of its error
};
inline void expectSameBlock(const MemorySink& device, const MemorySink& host, const ModelInfo& info, int block, Agreement must) {
    for (const LinearInfo& l : info.linears) {
        if (l.block != block) continue;
        SCOPED_TRACE(l.name);
        ASSERT_TRUE(device.outcomes.contains(l.name));
        const LinearOutcome &got = device.outcomes.at(l.name), &expected = host.outcomes.at(l.name);
        EXPECT_GE(shareEqual(got, expected), must.codes);
        EXPECT_EQ(got.weight.weakColumns, expected.weight.weakColumns);
        EXPECT_NEAR(got.error, expected.error, must.error * expected.error);
        EXPECT_EQ(got.damping, expected.damping);
        EXPECT_EQ(got.statistics.tokens, expected.statistics.tokens);
    }
}

/// The first, the second and the last block; then the run as a whole, by its error.
inline void expectSameRun(const char* family, const Recipe& recipe, std::shared_ptr<const Device> device, Agreement must = {}) {
    SampleRun onHost(family, recipe, nullptr), onDevice(family, recipe, std::move(device));
    const ModelInfo& info = onHost.model->info();
    const MemorySink host = onHost.run(), whole = onDevice.run();
    double errors[2] = {0, 0};
    for (const auto& [name, outcome] : host.outcomes) {
        errors[0] += std::log(outcome.error);
        errors[1] += std::log(whole.outcomes.at(name).error);
    }
    EXPECT_NEAR((errors[1] - errors[0]) / double(host.outcomes.size()), 0, 0.02) << "mean of the logarithms";
    expectSameBlock(whole, host, info, 0, must);
    for (const int block : {1, info.blocks - 1}) {
        MemorySink others = host;
        for (const LinearInfo& l : info.linears)
            if (l.block == block) others.outcomes.erase(l.name);
        expectSameBlock(onDevice.run(others), host, info, block, must);
    }
}

inline Recipe weakRecipe(const std::string& preset = "paper", Method method = Method::owq) {
    Recipe recipe = presetRecipe(preset, method);
    recipe.method = method;
    recipe.allocation = "paper";  // greedy allocation is the job's, before the pipeline
    if (method == Method::owq) recipe.weakColumns = 4;
    return recipe;
}

}  // namespace owq::testing
