// SPDX-License-Identifier: Apache-2.0
// What a run says before it begins, and what it goes on with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/jobs/quantize.h"
#include "core/jobs/run_directory.h"
#include "core/jobs/sweep.h"
#include "core/jobs/threads.h"
#include "tests/core/jobs/small_run.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

QuantizeOptions optionsFor(const fs::path& model, const fs::path& out) {
    QuantizeOptions o = smallRun("", out);
    o.model = model;
    o.calibration.samples = 4;
    o.calibration.sequenceLength = 64;
    return o;
}

void stopAfter(int linears, QuantizeOptions options) {
    std::stop_source source;
    options.onLayer = [&, left = linears](const LayerReport&) mutable {
        if (--left == 0) source.request_stop();
    };
    EXPECT_THROW(run(options, source.get_token()), Cancelled);
}

std::string messageOf(const QuantizeOptions& options) {
    return owq::messageOf([&] { run(options); });
}

class QuantizeResume : public testing::Test {
protected:
    TemporaryFolder folder;
    const fs::path sample = OWQ_SAMPLE "/sample-llama";
};

TEST_F(QuantizeResume, ForecastsComeBeforeAnythingIsComputed) {
    QuantizeOptions options = optionsFor(sample, folder / "run");
    int forecasts = 0, layers = 0;
    uint64_t disk = 0;
    options.onForecast = [&](const QuantizeResult& planned) {
        EXPECT_EQ(layers, 0);
        EXPECT_GT(planned.forecast.peak(), 0u);
        disk = planned.diskBytes;
        ++forecasts;
    };
    options.onLayer = [&](const LayerReport&) { ++layers; };
    const QuantizeResult result = run(options);
    EXPECT_EQ(forecasts, 1);
    EXPECT_EQ(result.diskBytes, disk);
    uint64_t written = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "run"))
        if (entry.is_regular_file()) written += entry.file_size();
    EXPECT_LE(written, disk);
    EXPECT_GT(written + (17 << 20), disk) << "16 MiB are kept for journals and the like";
    EXPECT_EQ(readJson(folder / "run" / "result.json")["disk_forecast_bytes"], disk);
}

TEST_F(QuantizeResume, NeedsOnlyTheSpaceThatIsNotTakenYet) {
    const fs::path out = folder / "run";
    stopAfter(20, optionsFor(sample, out));
    uint64_t whole = 0, rest = 0, again = 0, taken = 0;
    for (const auto& entry : fs::directory_iterator(out / "layers")) taken += entry.file_size();
    QuantizeOptions options = optionsFor(sample, folder / "plan");
    options.dryRun = true;
    options.onForecast = [&](const QuantizeResult& planned) { whole = planned.diskBytes; };
    run(options);
    options = optionsFor(sample, out);
    options.resume = true;
    options.onForecast = [&](const QuantizeResult& planned) { rest = planned.diskBytes; };
    run(options);
    EXPECT_EQ(whole - rest, taken);
    options.resume = false;
    options.force = true;
    options.onForecast = [&](const QuantizeResult& planned) { again = planned.diskBytes; };
    run(options);
    EXPECT_LT(again, rest) << "what is replaced makes room";
}

TEST_F(QuantizeResume, GoesOnWhenTheModelHasMoved) {
    fs::copy(sample, folder / "here");
    const fs::path out = folder / "run";
    stopAfter(3, optionsFor(folder / "here", out));
    fs::rename(folder / "here", folder / "there");
    QuantizeOptions options = optionsFor(folder / "there", out);
    options.resume = true;
    run(options);
    EXPECT_EQ(readJson(out / "recipe.json")["model"], fs::canonical(folder / "there").string());
    run(optionsFor(sample, folder / "whole"));
    for (const std::string& name : openRun(out).layerNames)
        EXPECT_EQ(sha256File(out / "layers" / (name + ".safetensors")), sha256File(folder / "whole" / "layers" / (name + ".safetensors"))) << name;
}

TEST_F(QuantizeResume, NamesWhatDiffers) {
    fs::copy(sample, folder / "model");
    const fs::path out = folder / "run";
    stopAfter(3, optionsFor(folder / "model", out));
    QuantizeOptions options = optionsFor(folder / "model", out);
    options.resume = true;
    options.calibration.samples = 5;
    EXPECT_THAT(messageOf(options), HasSubstr("calibration.samples (was 4, now 5)"));
    options.calibration.samples = 4;
    const int before = threads();
    setThreads(before + 1);
    EXPECT_THAT(messageOf(options), HasSubstr("threads (was " + std::to_string(before)));
    setThreads(before);
    const fs::path config = folder / "model" / "config.json";
    writeText(config, readText(config) + "\n");
    EXPECT_THAT(messageOf(options), HasSubstr("model_files.config.json"));
}

TEST_F(QuantizeResume, AnotherBudgetIsNotTheOneThatWasAllocatedFrom) {
    QuantizeOptions options = optionsFor(sample, folder / "plan");
    options.dryRun = true;
    run(options);
    Json budget = readJson(folder / "plan" / "budget.json");
    writeJson(folder / "a.json", budget);
    budget["linears"][0]["bits"] = 4;
    budget["linears"][0]["locked"] = true;
    writeJson(folder / "b.json", budget);
    options = optionsFor(sample, folder / "run");
    options.recipe.allocation = "greedy";
    options.budget = folder / "a.json";
    stopAfter(2, options);
    options.resume = true;
    options.budget = folder / "b.json";
    EXPECT_THAT(messageOf(options), HasSubstr("allocated from differs"));
    options.budget = folder / "a.json";
    EXPECT_EQ(messageOf(options), "no error");
}

TEST_F(QuantizeResume, ActivationsThatDoNotFitGoToAFileAndChangeNothing) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "a limit between two forecasts: the sanitizer keeps what is freed, and lets go of it when it likes";
#endif
    const auto options = [&](const char* out) {
        QuantizeOptions o = optionsFor(sample, folder / out);
        o.calibration.samples = 64;
        o.calibration.sequenceLength = 256;
        o.recipe.layers = "*.layers.0.*,*.layers.1.*";
        o.recipe.inputCorrection = 0.25;
        return o;
    };
    run(options("whole"));
    QuantizeOptions spilling = options("plan");
    spilling.dryRun = true;
    const MemoryForecast forecast = run(spilling).forecast;
    spilling = options("spilled");
    spilling.memoryLimit = forecast.peak() - forecast.activations / 2;
    std::vector<std::string> warnings;
    spilling.onForecast = [&](const QuantizeResult& planned) { warnings = planned.warnings; };
    const QuantizeResult result = run(spilling);
    EXPECT_TRUE(result.forecast.scratch);
    EXPECT_THAT(warnings, testing::Contains(HasSubstr("are kept in a file")));
    for (const std::string& name : openRun(folder / "spilled").layerNames)
        EXPECT_EQ(sha256File(folder / "spilled" / "layers" / (name + ".safetensors")), sha256File(folder / "whole" / "layers" / (name + ".safetensors")))
            << name;
}

TEST_F(QuantizeResume, AForecastAloneNeedsNoLookAtTheModel) {
    QuantizeOptions options = optionsFor(sample, folder / "run");
    options.recipe = presetRecipe("best", Method::owq);
    options.recipe.targetBits = 3.05;
    options.calibration.text = "/nowhere.txt";
    options.dryRun = options.withoutAllocation = true;
    const QuantizeResult plan = run(options);
    options.recipe.allocation = "paper";
    EXPECT_GT(plan.forecast.phases.size(), run(options).forecast.phases.size());
}

TEST_F(QuantizeResume, FalconIsDampedAsTheAuthorsDo) {
    QuantizeOptions options = optionsFor(std::string(OWQ_TEST_DATA) + "/families/falcon_7b", folder / "falcon");
    options.dryRun = true;
    EXPECT_EQ(run(options).recipe.damping, 1);
    options.recipe.damping = 0.05;
    EXPECT_EQ(run(options).recipe.damping, 0.05);
    options.recipe = presetRecipe("best", Method::owq);
    options.withoutAllocation = true;
    EXPECT_EQ(run(options).recipe.damping, 0.0005);
}

TEST_F(QuantizeResume, SweepsTimeATokenWhenAsked) {
    SweepOptions o;
    o.model = sample;
    o.out = folder / "sweep";
    o.latency = true;
    o.workingSet = 1 << 20;
    o.seconds = 0;
    for (const int bits : {3, 4}) {
        SweepSetting s;
        s.name = "rtn-" + std::to_string(bits);
        s.recipe.method = Method::rtn;
        s.recipe.bits = bits;
        o.grid.settings.push_back(s);
    }
    Progress progress;
    const SweepResult r = sweep(o, progress, {});
    ASSERT_EQ(r.failed(), 0u) << r.rows[0].error;
    EXPECT_GT(r.originalTokenSeconds, 0);
    for (const SweepRow& row : r.rows) EXPECT_GT(row.tokenSeconds, 0) << row.setting.name;
    const Json j = readJson(folder / "sweep" / "sweep.json");
    EXPECT_EQ(j["settings"][1]["token_seconds"], r.rows[1].tokenSeconds);
}

}  // namespace
}  // namespace owq
