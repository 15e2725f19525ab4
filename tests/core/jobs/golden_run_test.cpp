// SPDX-License-Identifier: Apache-2.0
// Whole runs against the authors' code on the same model and windows (tests/data/README.md).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "core/checkpoint/tensor_file.h"
#include "core/jobs/evaluate.h"
#include "core/jobs/quantize.h"
#include "core/jobs/threads.h"
#include "core/pack/layer_file.h"
#include "core/store/run_directory.h"
#include "tests/core/jobs/golden_ties.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

struct Case {
    std::string sample, run;
    Method method;
    int bits;
    double target = 0;
    bool actOrder = false, sequential = false;
    std::string noise{};  ///< the same run with the windows in another order, where there is one
    int64_t groupSize = 0;
    std::string codes{};  ///< file with their codes of the first block, where ties in it are to be decided as theirs were
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.sample << " " << c.run; }

fs::path referenceFolder(const Case& c) { return fs::path(OWQ_TEST_DATA) / "reference" / c.sample; }

QuantizeOptions optionsOf(const Case& c, const fs::path& out) {
    QuantizeOptions o;
    o.model = fs::path(OWQ_SAMPLE) / ("sample-" + c.sample);
    o.out = out;
    o.calibration.tokens = referenceFolder(c) / "calib.safetensors";
    o.recipe.method = c.method;
    o.recipe.bits = c.bits;
    o.recipe.targetBits = c.target;
    o.recipe.actOrder = c.actOrder;
    o.recipe.trueSequential = c.sequential;
    o.recipe.groupSize = c.groupSize;
    return o;
}

double perplexityOf(const fs::path& model, const Case& c, const std::string& text, const fs::path& folder) {
    // eval.safetensors holds several texts; the job reads input_ids.
    const fs::path tokens = folder / (text + ".safetensors");
    writeSafetensors(tokens, {{"input_ids", openSafetensors(referenceFolder(c) / "eval.safetensors")->read(text)}});
    EvaluateOptions o;
    o.model = model;
    o.tokens = tokens;
    o.sequenceLength = 512;
    Progress progress;
    return evaluate(o, progress, {}).perplexity;
}

/// The run; where the case says so, halted after the first block to settle its ties.
QuantizeResult quantizeAs(const Case& c, const fs::path& out) {
    Progress progress;
    QuantizeOptions options = optionsOf(c, out);
    if (!c.codes.empty()) {
        std::stop_source stop;
        options.onLayer = [&](const LayerReport& l) {
            if (l.linear.name.find("layers.1.") != std::string::npos) stop.request_stop();
        };
        EXPECT_THROW(quantize(options, progress, stop.get_token()), Cancelled);
        const size_t rows = golden::settleTies(out, options.model, options.calibration.tokens, referenceFolder(c) / c.codes);
        std::printf("%s %s: %zu rows with a tie in the first block\n", c.sample.c_str(), c.run.c_str(), rows);
        options.onLayer = {};
        options.resume = true;
    }
    return quantize(options, progress, {});
}

class GoldenRun : public testing::TestWithParam<Case> {};

TEST_P(GoldenRun, AgreesWithTheReference) {
    const Case& c = GetParam();
    TemporaryFolder folder;
    const fs::path out = folder / "run";
    setThreads(0);
    const QuantizeResult result = quantizeAs(c, out);

    const Json reference = readJson(referenceFolder(c) / "reference.json");
    const Json& run = reference["runs"][c.run];
    const auto golden = openSafetensors(referenceFolder(c) / (c.run + ".safetensors"));
    ASSERT_EQ(result.layers.size(), run["layers"].size());
    for (const LayerReport& l : result.layers) {
        const Json& expected = run["layers"][l.linear.name];
        EXPECT_EQ(l.weakColumns.size(), expected["n_out"].get<size_t>()) << l.linear.name;
        EXPECT_NEAR(l.error / expected["error"].get<double>(), 1.0, 0.01) << l.linear.name;
        // Deeper blocks see inputs that hang on every rounding before; block 0 does not.
        if (l.linear.name.find("layers.0.") == std::string::npos) continue;
        if (expected.contains("weak_ids")) {
            EXPECT_EQ(l.weakColumns, expected["weak_ids"].get<std::vector<int32_t>>()) << l.linear.name;
        }
        const LinearOutcome layer = readLayerFile(layerFile(out, l.linear.name));
        if (!golden->find(l.linear.name + ".scale")) continue;  // of groups their code keeps the last one's only
        const std::vector<float> scale = golden->read(l.linear.name + ".scale").toFloat();
        ASSERT_EQ(scale.size(), layer.weight.scale.size());
        size_t scaleOff = 0;
        for (size_t i = 0; i < scale.size(); ++i)
            scaleOff += std::abs(scale[i] - layer.weight.scale[i]) > 1.2e-7f * scale[i];
        EXPECT_LE(double(scaleOff) / double(scale.size()), 0.01) << l.linear.name;
        if (const TensorInfo* info = golden->find(l.linear.name + ".codes_nib")) {
            const Tensor nibbles = golden->read(info->name);
            size_t equal = 0;
            for (size_t i = 0; i < size_t(nibbles.count()); ++i) {
                const auto byte = uint8_t(nibbles.data[i]);
                equal += (byte & 15) == layer.weight.codes[2 * i];
                equal += (byte >> 4) == layer.weight.codes[2 * i + 1];
            }
            EXPECT_GE(double(equal) / double(layer.weight.codes.size()), 0.999) << l.linear.name;
        }
    }
    for (const std::string text : {"heldout", "wikitext2"}) {
        const double expected = run["ppl"][text].get<double>(), got = perplexityOf(out, c, text, folder.path());
        const double noise = c.noise.empty() ? 0 : 2 * std::abs(reference["runs"][c.noise]["ppl"][text].get<double>() - expected);
        EXPECT_NEAR(got, expected, std::max(noise, 0.002 * expected)) << text;
        std::printf("%s %s %s: %.4f, reference %.4f (%+.3f %%)\n", c.sample.c_str(), c.run.c_str(), text.c_str(), got, expected,
                    100 * (got / expected - 1));
    }
    const Json& was = run["timings_s"];
    std::printf("seconds: forward %.2f hessian %.2f range search %.2f column loop %.2f total %.2f; reference total %.1f on one thread\n",
                result.seconds.forward, result.seconds.hessian, result.seconds.rangeSearch, result.seconds.columnLoop,
                result.seconds.total, run["quantize_wall_s"].get<double>());
    EXPECT_FALSE(was.is_null());
}

// OPT at 3 bits without weak columns (gptq3; owq3.01 finds no room for any): a few weights of the first block come to stand within 2e-6
// of a rounding tie (in gptq3 one, fc2 row 232 column 289, at -1.5 - 3.4e-7), which an exact Hessian and the authors' round differently;
// the codes after it in its row follow, and every later block. With those rows as theirs the rest of the run is theirs within the
// noise of a window order; left alone, gptq3 ends 0.34 % and owq3.01 0.20 % off in perplexity on WikiText-2.
INSTANTIATE_TEST_SUITE_P(
    Reference, GoldenRun,
    testing::Values(Case{"opt", "owq3.05", Method::owq, 3, 3.05, false, false, "owq3.05_seed1"},
                    Case{"opt", "owq4.05", Method::owq, 4, 4.05}, Case{"opt", "gptq3", Method::optq, 3, 0, false, false, "gptq3_seed1", 0, "gptq3.safetensors"},
                    Case{"opt", "owq3.01", Method::owq, 3, 3.01, false, false, "", 0, "owq3.01.codes.safetensors"}, Case{"opt", "gptq3_act", Method::optq, 3, 0, true},
                    Case{"opt", "gptq3_g128", Method::optq, 3, 0, false, false, "", 128}, Case{"llama", "gptq3_act", Method::optq, 3, 0, true},
                    Case{"llama", "gptq3", Method::optq, 3, 0, false, false, "gptq3_seed1"},
                    Case{"llama", "owq3.05", Method::owq, 3, 3.05, false, false, "owq3.05_seed1"},
                    Case{"llama", "owq4.05", Method::owq, 4, 4.05}, Case{"llama", "owq3.05_seq", Method::owq, 3, 3.05, false, true}));

class GoldenNearest : public testing::TestWithParam<std::pair<std::string, int>> {};

TEST_P(GoldenNearest, RoundToNearestPerplexity) {
    const auto [sample, bits] = GetParam();
    Case c{sample, "rtn" + std::to_string(bits), Method::rtn, bits};
    TemporaryFolder folder;
    Progress progress;
    setThreads(0);
    quantize(optionsOf(c, folder / "run"), progress, {});
    const Json reference = readJson(referenceFolder(c) / "reference.json");
    for (const std::string text : {"heldout", "wikitext2"}) {
        const double expected = reference["runs"][c.run]["ppl"][text].get<double>();
        EXPECT_NEAR(perplexityOf(folder / "run", c, text, folder.path()), expected, 0.002 * expected) << text;
    }
}
INSTANTIATE_TEST_SUITE_P(Reference, GoldenNearest,
                         testing::Values(std::pair<std::string, int>{"opt", 3}, std::pair<std::string, int>{"llama", 3}));

}  // namespace
}  // namespace owq
