// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/file.h"
#include "core/jobs/calibrate.h"
#include "core/jobs/evaluate.h"
#include "core/jobs/export.h"
#include "core/jobs/generate.h"
#include "core/jobs/inspect.h"
#include "core/jobs/run_directory.h"
#include "tests/core/jobs/small_run.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

double perplexityOf(const fs::path& model, const fs::path& modelFolder = {}) {
    EvaluateOptions o;
    o.model = model;
    o.modelFolder = modelFolder;
    o.text = OWQ_SAMPLE "/heldout.txt";
    o.sequenceLength = 128;
    o.maxWindows = 4;
    Progress progress;
    return evaluate(o, progress, {}).perplexity;
}

class QuantizeJob : public testing::TestWithParam<std::string> {
protected:
    TemporaryFolder folder;
};
INSTANTIATE_TEST_SUITE_P(Samples, QuantizeJob, testing::Values("sample-opt", "sample-llama"));

TEST_P(QuantizeJob, WritesAWholeRunDirectoryThatReadsBack) {
    std::vector<std::string> seen;
    QuantizeOptions options = smallRun(GetParam(), folder / "run");
    options.onLayer = [&](const LayerReport& r) {
        EXPECT_EQ(r.statistics.hessianDiagonal.size(), size_t(r.linear.columns));
        seen.push_back(r.linear.name);
    };
    const QuantizeResult result = run(options);
    for (const char* name : {"recipe.json", "journal.jsonl", "statistics.h5", "run.log", "result.json"})
        EXPECT_TRUE(fs::exists(folder / "run" / name)) << name;
    const RunSummary summary = openRun(folder / "run");
    EXPECT_TRUE(summary.finished);
    EXPECT_EQ(summary.layerNames, seen);
    EXPECT_EQ(summary.result.effectiveBits.stored, result.effectiveBits.stored);
    const LayerReport layer = readRunLayer(folder / "run", seen[0]);
    EXPECT_EQ(layer.weakColumns.size(), 2u);
    EXPECT_GT(layer.error, 0);
    EXPECT_GT(result.seconds.total, 0);
}

TEST_P(QuantizeJob, StoppedRunGoesOnAndEndsWithTheSameBytes) {
    run(smallRun(GetParam(), folder / "whole"));
    for (const int after : {1, 9, 20}) {
        const fs::path out = folder / ("part" + std::to_string(after));
        std::stop_source source;
        QuantizeOptions options = smallRun(GetParam(), out);
        int layers = 0;
        options.onLayer = [&](const LayerReport&) {
            if (++layers == after) source.request_stop();
        };
        EXPECT_THROW(run(options, source.get_token()), Cancelled);
        const RunSummary stopped = openRun(out);
        EXPECT_FALSE(stopped.finished);
        EXPECT_EQ(stopped.done, after);
        EXPECT_THAT(messageOf([&] { run(smallRun(GetParam(), out)); }), HasSubstr("--resume"));
        ExportOptions unfinished{.run = out, .out = folder / "never"};
        Progress progress;
        EXPECT_THAT(messageOf([&] { exportModel(unfinished, progress, {}); }), HasSubstr("unfinished"));

        options = smallRun(GetParam(), out);
        options.resume = true;
        run(options);
        for (const std::string& name : openRun(out).layerNames)
            EXPECT_EQ(sha256File(out / "layers" / (name + ".safetensors")), sha256File(folder / "whole" / "layers" / (name + ".safetensors")))
                << name;
        EXPECT_EQ(sha256File(out / "statistics.h5"), sha256File(folder / "whole" / "statistics.h5"));
    }
}

TEST_P(QuantizeJob, SaysBeforeItStartsWhatMemoryItNeeds) {
    QuantizeOptions options = smallRun(GetParam(), folder / "plan");
    options.dryRun = true;
    const QuantizeResult plan = run(options);
    ASSERT_FALSE(plan.forecast.phases.empty());
    EXPECT_GT(plan.forecast.peak(), plan.forecast.activations);
    EXPECT_EQ(plan.forecast.activations, uint64_t(6 * 128 * 256 * 4));
    options = smallRun(GetParam(), folder / "run");
    options.memoryLimit = 10 << 20;
    EXPECT_THAT(messageOf([&] { run(options); }), testing::AllOf(HasSubstr("needs about"), HasSubstr("0.01 GiB")));
    EXPECT_FALSE(fs::exists(folder / "run")) << "nothing was begun";
    options.memoryLimit = 0;
    run(options);
    options.memoryLimit = 10 << 20;
    options.resume = true;
    EXPECT_EQ(run(options).layers.size(), plan.layers.size()) << "reading a finished run again takes no such memory";
}

TEST_P(QuantizeJob, RefinedRunsGoOnToTheSameBytesToo) {
    const auto options = [&](const char* name) {
        QuantizeOptions o = smallRun(GetParam(), folder / name);
        o.recipe.preset = "best";
        o.recipe.storedScales = true;
        o.recipe.refinePasses = 2;
        o.recipe.inputCorrection = 0.5;
        return o;
    };
    const QuantizeResult whole = run(options("whole"));
    std::stop_source source;
    QuantizeOptions part = options("part");
    int layers = 0;
    part.onLayer = [&](const LayerReport&) {
        if (++layers == 10) source.request_stop();
    };
    EXPECT_THROW(run(part, source.get_token()), Cancelled);
    part = options("part");
    part.resume = true;
    run(part);
    for (const std::string& name : openRun(folder / "part").layerNames)
        EXPECT_EQ(sha256File(folder / "part" / "layers" / (name + ".safetensors")),
                  sha256File(folder / "whole" / "layers" / (name + ".safetensors")))
            << name;
    // Against the plain run: the first linears, whose inputs are the same, lose less.
    const QuantizeResult plain = run(smallRun(GetParam(), folder / "plain"));
    for (size_t i : {0, 1, 2}) EXPECT_LT(whole.layers[i].error, 0.97 * plain.layers[i].error) << whole.layers[i].linear.name;
}

TEST_P(QuantizeJob, GreedyAllocationKeepsTheSizeAndGoesOnWithItsPlan) {
    const auto options = [&](const char* name) {
        QuantizeOptions o = smallRun(GetParam(), folder / name);
        o.recipe.targetBits = 3.1;
        o.recipe.allocation = "greedy";
        return o;
    };
    QuantizeOptions paper = options("paper");
    paper.recipe.allocation = "paper";
    paper.dryRun = true;
    const QuantizeResult whole = run(options("whole")), planned = run(paper);
    EXPECT_LE(whole.packedBytes, planned.packedBytes);
    EXPECT_GT(double(whole.packedBytes), 0.99 * double(planned.packedBytes));
    std::set<int> widths;
    for (const LayerReport& l : whole.layers) widths.insert(l.bits);
    EXPECT_GT(widths.size(), 1u);

    QuantizeOptions dry = options("dry");
    dry.dryRun = true;
    const QuantizeResult plan = run(dry);
    ASSERT_EQ(plan.layers.size(), whole.layers.size());
    for (size_t i = 0; i < plan.layers.size(); ++i) {
        EXPECT_EQ(plan.layers[i].bits, whole.layers[i].bits);
        EXPECT_EQ(plan.plannedWeakColumns[i], int64_t(whole.layers[i].weakColumns.size()));
    }

    std::stop_source source;
    QuantizeOptions part = options("part");
    int layers = 0;
    part.onLayer = [&](const LayerReport&) {
        if (++layers == 5) source.request_stop();
    };
    EXPECT_THROW(run(part, source.get_token()), Cancelled);
    EXPECT_THAT(messageOf([&] { run(options("part")); }), HasSubstr("--resume"));
    part = options("part");
    part.resume = true;
    run(part);
    for (const std::string& name : openRun(folder / "part").layerNames)
        EXPECT_EQ(sha256File(folder / "part" / "layers" / (name + ".safetensors")),
                  sha256File(folder / "whole" / "layers" / (name + ".safetensors")))
            << name;
}

TEST_P(QuantizeJob, ExportsComputeWhatTheRunComputes) {
    run(smallRun(GetParam(), folder / "run"));
    const double reference = perplexityOf(folder / "run");
    const std::vector<std::pair<std::string, fs::path>> formats{
        {"owq", folder / "packed"}, {"owq-pth", folder / "model.pth"}, {"dense", folder / "dense"}};
    for (const auto& [format, out] : formats) {
        Progress progress;
        const ExportResult e = exportModel({.run = folder / "run", .format = format, .out = out}, progress, {});
        EXPECT_FALSE(e.verification.empty());
        EXPECT_GT(e.bytes, 1'000'000u);
        const fs::path model = format == "owq-pth" ? fs::path(std::string(OWQ_SAMPLE) + "/" + GetParam()) : fs::path();
        // Scales are rounded to 16 bits in the packed formats, weights in the dense one.
        EXPECT_NEAR(perplexityOf(out, model) / reference, 1.0, 2e-3) << format;
        EXPECT_THROW(exportModel({.run = folder / "run", .format = format, .out = out}, progress, {}), Error);
    }
    GenerateOptions g;
    g.model = folder / "packed";
    g.prompt = "The ship";
    g.maxTokens = 12;
    std::string streamed;
    g.onText = [&](const std::string& text) { streamed += text; };
    Progress progress;
    const GenerateResult text = generate(g, progress, {});
    EXPECT_EQ(text.ids.size(), 12u);
    EXPECT_EQ(streamed, text.text);
}

TEST_P(QuantizeJob, AnalysisAgreesWithTheRunsFirstBlock) {
    const QuantizeOptions q = smallRun(GetParam(), folder / "run");
    run(q);
    CalibrateOptions c;
    c.model = q.model;
    c.out = folder / "analysis";
    c.calibration = q.calibration;
    c.recipe = q.recipe;
    Progress progress;
    const CalibrateResult analysis = calibrate(c, progress, {});
    const RunSummary summary = openRun(folder / "analysis");
    EXPECT_TRUE(summary.analysis);
    ASSERT_EQ(analysis.layers.size(), summary.layerNames.size());
    for (const char* name : {"run", "analysis"}) {
        const std::vector<LayerReport> all = readRunLayers(folder / name, {});
        ASSERT_EQ(all.size(), summary.layerNames.size());
        for (size_t i = 0; i < all.size(); ++i) {
            const LayerReport one = readRunLayer(folder / name, summary.layerNames[i]);
            EXPECT_EQ(all[i].linear.name, summary.layerNames[i]);
            EXPECT_EQ(all[i].bits, one.bits);
            EXPECT_EQ(all[i].quantized, one.quantized);
            EXPECT_EQ(all[i].weakColumns, one.weakColumns);
            EXPECT_EQ(all[i].statistics.sensitivity, one.statistics.sensitivity);
        }
    }
    EXPECT_THROW(readRunLayer(folder / "analysis", "none"), Error);
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_THROW(readRunLayers(folder / "run", stopped.get_token()), Cancelled);
    for (int i = 0; i < 5; ++i) {
        const LayerReport fromRun = readRunLayer(folder / "run", summary.layerNames[size_t(i)]);
        const LayerReport back = readRunLayer(folder / "analysis", summary.layerNames[size_t(i)]);
        EXPECT_EQ(fromRun.weakColumns, back.weakColumns);
        ASSERT_EQ(fromRun.statistics.hessianDiagonal.size(), back.statistics.hessianDiagonal.size());
        for (size_t j = 0; j < back.statistics.hessianDiagonal.size(); ++j)
            EXPECT_NEAR(fromRun.statistics.hessianDiagonal[j] / back.statistics.hessianDiagonal[j], 1.0, 1e-4);
        EXPECT_EQ(fromRun.statistics.columnError, back.statistics.columnError);
    }
}

TEST(QuantizeJobOptions, ForeignFoldersAndOtherSettingsAreRefused) {
    TemporaryFolder folder;
    writeText(folder / "precious.txt", "mine");
    QuantizeOptions o = smallRun("sample-opt", folder.path());
    o.recipe.method = Method::rtn;
    o.recipe.targetBits = 0;
    o.force = true;
    EXPECT_THAT(messageOf([&] { run(o); }), HasSubstr("is not empty and holds no run"));
    EXPECT_TRUE(fs::exists(folder / "precious.txt"));

    o.out = folder / "run";
    run(o);
    o.force = false;
    EXPECT_THAT(messageOf([&] { run(o); }), HasSubstr("--force"));
    o.resume = true;
    EXPECT_NO_THROW(run(o));
    o.recipe.bits = 4;
    EXPECT_THAT(messageOf([&] { run(o); }), HasSubstr("recipe.bits (was 3, now 4) differs"));
    o.resume = false;
    o.force = true;
    EXPECT_NO_THROW(run(o));
    EXPECT_EQ(openRun(o.out).recipe.bits, 4);
    const FileLock other(o.out / ".lock");
    EXPECT_THAT(messageOf([&] { run(o); }), HasSubstr("in use by another"));
}

TEST(QuantizeJobOptions, ARunGoesOnOnlyOnItsKindOfDevice) {
    TemporaryFolder folder;
    QuantizeOptions o = smallRun("sample-opt", folder / "run");
    std::stop_source stop;
    o.onLayer = [&](const LayerReport&) { stop.request_stop(); };
    EXPECT_THROW(run(o, stop.get_token()), Cancelled);
    Json description = readJson(o.out / "recipe.json");
    EXPECT_EQ(description["device"], "cpu");
    description["device"] = "cuda";
    writeJson(o.out / "recipe.json", description);
    o.onLayer = {};
    o.resume = true;
    EXPECT_THAT(messageOf([&] { run(o); }), HasSubstr("device (was \"cuda\", now \"cpu\")"));
}

TEST(QuantizeJobOptions, APlanForAGpuNeedsNone) {
    QuantizeOptions o = smallRun("sample-opt", {});
    o.dryRun = true;
    o.device = DeviceKind::cuda;
    const QuantizeResult plan = run(o);
    EXPECT_EQ(plan.deviceForecast.phases.size(), 4u);
    EXPECT_GT(plan.deviceForecast.activations, 0u);
    EXPECT_EQ(plan.forecast.activations, 0u);
    const Json json = toJson(plan);
    EXPECT_EQ(json["device"], "cuda");
    EXPECT_EQ(json["device_memory_forecast"]["peak_bytes"], plan.deviceForecast.peak());
    o.device = DeviceKind::cpu;
    EXPECT_FALSE(toJson(run(o)).contains("device_memory_forecast"));
}

TEST(QuantizeJobOptions, DryRunPlansWithoutComputing) {
    TemporaryFolder folder;
    QuantizeOptions o = smallRun("sample-opt", folder / "plan");
    o.dryRun = true;
    const QuantizeResult plan = run(o);
    EXPECT_GT(plan.effectiveBits.stored, plan.effectiveBits.paper);
    EXPECT_TRUE(fs::exists(folder / "plan" / "budget.json"));
    o.recipe.targetBits = 3.01;
    EXPECT_THAT(run(o).warnings.at(0), HasSubstr("smallest target"));
    o.calibration.text = "";
    o.dryRun = false;
    EXPECT_THAT(messageOf([&] { run(o); }), HasSubstr("no calibration text"));
}

TEST(QuantizeJobOptions, BudgetFileDecides) {
    TemporaryFolder folder;
    QuantizeOptions o = smallRun("sample-opt", folder / "plan");
    o.dryRun = true;
    run(o);
    Json budget = readJson(folder / "plan" / "budget.json");
    budget["linears"][0]["bits"] = 16;
    budget["linears"][1]["weak_columns"] = 6;
    writeJson(folder / "budget.json", budget);
    o = smallRun("sample-opt", folder / "run");
    o.budget = folder / "budget.json";
    const QuantizeResult r = run(o);
    EXPECT_EQ(r.layers.size(), 35u);
    EXPECT_EQ(r.layers[0].weakColumns.size(), 6u);
}

}  // namespace
}  // namespace owq
