// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/jobs/quantize.h"
#include "core/jobs/run_directory.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

SweepOptions smallSweep(const fs::path& out, const std::string& grid) {
    CalibrationOptions calibration;
    calibration.text = OWQ_SAMPLE "/calibration.txt";
    calibration.samples = 2;
    calibration.sequenceLength = 32;
    SweepOptions o;
    o.model = OWQ_SAMPLE "/sample-opt";
    o.out = out;
    o.grid = expandGrid(parseJson(grid, "grid"), calibration, "grid");
    o.texts = {{OWQ_SAMPLE "/heldout.txt", "plain"}};
    o.evaluationLength = 64;
    o.maxWindows = 1;
    return o;
}

SweepResult run(const SweepOptions& options) {
    Progress progress;
    return sweep(options, progress, {});
}

std::string messageOf(const SweepOptions& options) {
    try {
        run(options);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

TEST(SweepJob, StoppedSweepGoesOnWhereItWas) {
    TemporaryFolder folder;
    const SweepOptions options =
        smallSweep(folder / "s", R"({"layers": "q,k", "settings": [{"method": "rtn"}, {"method": "optq"}, {"method": "owq", "target_bits": 3.05}]})");
    std::stop_source stop;
    double last = 0;
    Progress progress([&](const ProgressUpdate& u) {
        EXPECT_GE(u.fraction, last - 1e-9) << u.phase;
        last = std::max(last, u.fraction);
        if (u.phase == "Setting 2 of 3 (optq)" && u.item.find("layers.1.") != std::string::npos) stop.request_stop();
    });
    EXPECT_THROW(sweep(options, progress, stop.get_token()), Cancelled);
    EXPECT_EQ(readJson(folder / "s" / "sweep.json")["settings"][0]["state"], "done");
    const std::string before = sha256File(folder / "s" / "rtn" / "result.json");
    const int doneBefore = openRun(folder / "s" / "optq").done;
    EXPECT_GT(doneBefore, 0);

    const SweepResult result = run(options);
    EXPECT_EQ(result.failed(), 0u);
    EXPECT_THAT(result.varied, ElementsAre("method", "target_bits"));
    ASSERT_EQ(result.rows.size(), 3u);
    EXPECT_TRUE(result.rows[0].reused);
    EXPECT_FALSE(result.rows[1].reused);
    EXPECT_EQ(sha256File(folder / "s" / "rtn" / "result.json"), before);
    EXPECT_THAT(readText(folder / "s" / "optq" / "run.log"), HasSubstr("resumed with " + std::to_string(doneBefore)));
    for (const SweepRow& row : result.rows) {
        EXPECT_GT(row.perplexity.at(0).perplexity, 1);
        EXPECT_GT(row.effectiveBits.stored, 3);
        EXPECT_LT(row.fileBytes, result.originalBytes);
        EXPECT_GT(row.seconds, 0);
    }
    EXPECT_GT(result.rows[2].effectiveBits.paper, result.rows[1].effectiveBits.paper);
    EXPECT_LT(result.original.at(0).perplexity, result.rows[0].perplexity[0].perplexity);

    // Once more: nothing is computed, and the table is the same.
    const SweepResult again = run(options);
    EXPECT_TRUE(again.rows[2].reused);
    EXPECT_EQ(again.rows[2].perplexity[0].perplexity, result.rows[2].perplexity[0].perplexity);
    EXPECT_EQ(again.rows[2].perplexity[0].seconds, result.rows[2].perplexity[0].seconds) << "not measured again";
    EXPECT_EQ(again.rows[2].seconds, result.rows[2].seconds);
    EXPECT_EQ(toCsv(again), toCsv(result));
    EXPECT_EQ(readText(folder / "s" / "sweep.csv"), toCsv(result));

    // A setting is what quantize makes of it alone.
    QuantizeOptions q;
    q.model = options.model;
    q.out = folder / "alone";
    q.calibration = options.grid.settings[2].calibration;
    q.recipe = options.grid.settings[2].recipe;
    Progress none;
    quantize(q, none, {});
    EXPECT_EQ(readJson(q.out / "recipe.json")["model_files"], readJson(folder / "s" / "owq-t3.05" / "recipe.json")["model_files"]);
    for (const std::string& name : openRun(q.out).layerNames)
        EXPECT_EQ(sha256File(q.out / "layers" / (name + ".safetensors")),
                  sha256File(folder / "s" / "owq-t3.05" / "layers" / (name + ".safetensors"))) << name;
}

TEST(SweepJob, FailedSettingIsReportedAndTheOthersGoOn) {
    TemporaryFolder folder;
    SweepOptions options = smallSweep(folder / "s", R"({"method": "rtn", "group_size": [7, 64], "bits": 4, "layers": "q"})");
    options.texts.clear();
    const SweepResult result = run(options);
    EXPECT_EQ(result.failed(), 1u);
    EXPECT_EQ(result.rows[0].state, SweepState::failed);
    EXPECT_THAT(result.rows[0].error, HasSubstr("do not divide into groups of 7"));
    EXPECT_EQ(result.rows[1].state, SweepState::done);
    const Json json = readJson(folder / "s" / "sweep.json");
    EXPECT_EQ(json["failed"], 1);
    EXPECT_EQ(json["settings"][0]["state"], "failed");
    EXPECT_THAT(json["settings"][0]["error"], HasSubstr("groups of 7"));
    EXPECT_EQ(json["settings"][1]["varied"]["group_size"], 64);
    EXPECT_THAT(toCsv(result), HasSubstr("\ng7,7,,,,,,failed,"));

    // The same names for other settings: what is there is not taken for them.
    options.grid.settings[1].recipe.damping = 0.02;
    const SweepResult other = run(options);
    EXPECT_THAT(other.rows[1].error, HasSubstr("recipe.damping (was 0.01, now 0.02) differs"));
    options.force = true;
    EXPECT_EQ(run(options).rows[1].state, SweepState::done);
}

TEST(SweepJob, WhatNoSettingSurvivesEndsItAtOnce) {
    TemporaryFolder folder;
    const std::string grid = R"({"bits": [3, 4]})";
    SweepOptions o = smallSweep(folder / "a", grid);
    o.texts = {{folder / "none.txt", "plain"}};
    EXPECT_THAT(messageOf(o), HasSubstr("none.txt"));
    EXPECT_FALSE(fs::exists(folder / "a" / "3bit"));
    o = smallSweep(folder / "b", grid);
    for (SweepSetting& s : o.grid.settings) s.calibration.text.clear();
    EXPECT_THAT(messageOf(o), HasSubstr("no calibration text"));
    o = smallSweep(folder / "c", R"({"seed": [0, 1]})");
    for (SweepSetting& s : o.grid.settings) std::swap(s.calibration.text, s.calibration.tokens);
    EXPECT_THAT(messageOf(o), HasSubstr("\"seed\" varies"));
    o = smallSweep(folder / "d", grid);
    o.texts[0].protocol = "wiki";
    EXPECT_THAT(messageOf(o), HasSubstr("wiki"));
    o = smallSweep(folder / "e", grid);
    o.evaluationLength = 1 << 20;
    EXPECT_THAT(messageOf(o), HasSubstr("over the model's maximum"));
    fs::create_directories(folder / "f");
    writeText(folder / "f" / "precious.txt", "mine");
    o = smallSweep(folder / "f", grid);
    o.force = true;
    EXPECT_THAT(messageOf(o), HasSubstr("is not empty and holds no sweep"));
    EXPECT_TRUE(fs::exists(folder / "f" / "precious.txt"));
    EXPECT_FALSE(fs::exists(folder / "f" / ".lock"));
    fs::create_directories(folder / "g");
    writeText(folder / "g" / "sweep.json", R"({"schema": 1, "kind": "sweep", "model_sha256": "0000"})");
    EXPECT_THAT(messageOf(smallSweep(folder / "g", grid)), HasSubstr("a sweep of another model"));
    writeText(folder / "g" / "sweep.json", "[1");
    EXPECT_THAT(messageOf(smallSweep(folder / "g", grid)), HasSubstr("sweep.json"));
}

TEST(SweepJob, TextsOfOneNameAreToldApartAndCsvIsQuoted) {
    SweepResult r;
    r.varied = {"weak_layers"};
    r.texts = {"a,b.txt"};
    SweepRow row;
    row.setting.name = "x";
    row.setting.values = {{"weak_layers", "q,\"k\""}};
    row.state = SweepState::failed;
    row.error = "two\nlines";
    r.rows = {row};
    EXPECT_EQ(toCsv(r), "setting,weak_layers,paper_bits,stored_bits,file_bytes,token_seconds,\"perplexity a,b.txt\",seconds,state,error\n"
                        "original,,,,0,,,,,\nx,\"q,\"\"k\"\"\",,,,,,,failed,\"two\nlines\"\n");
}

}  // namespace
}  // namespace owq
