// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/sweep_grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SweepGrid expand(const std::string& text, const CalibrationOptions& base = {}) {
    return expandGrid(parseJson(text, "test"), base, "grid.json");
}

std::vector<std::string> names(const SweepGrid& grid) {
    std::vector<std::string> all;
    for (const SweepSetting& s : grid.settings) all.push_back(s.name);
    return all;
}

std::string messageOf(const std::string& text) {
    try {
        expand(text);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

TEST(SweepGrid, EveryCombinationIsASettingWithTheLastKeyFastest) {
    const SweepGrid grid = expand(R"({"bits": [3, 4], "group_size": 128, "weak_metric": ["sensitivity", "hessian"]})");
    EXPECT_THAT(grid.varied, ElementsAre("bits", "weak_metric"));
    EXPECT_THAT(names(grid), ElementsAre("3bit-sensitivity", "3bit-hessian", "4bit-sensitivity", "4bit-hessian"));
    EXPECT_EQ(grid.settings[1].recipe.bits, 3);
    EXPECT_EQ(grid.settings[1].recipe.metric, WeakMetric::hessian);
    EXPECT_EQ(grid.settings[1].recipe.groupSize, 128);
    EXPECT_EQ(grid.settings[1].values.dump(), R"({"bits":3,"weak_metric":"hessian"})");
    EXPECT_TRUE(grid.needsCalibration());
}

TEST(SweepGrid, SeedsAndSamplesReachTheCalibration) {
    CalibrationOptions base;
    base.text = "a.txt";
    base.samples = 7;
    base.seed = 5;
    const SweepGrid seeds = expand(R"({"calibration.seed": [0, 9]})", base);
    EXPECT_THAT(names(seeds), ElementsAre("seed0", "seed9"));
    EXPECT_EQ(seeds.settings[1].calibration.seed, 9u);
    EXPECT_EQ(seeds.settings[1].recipe.seed, 9u);
    EXPECT_EQ(seeds.settings[1].calibration.samples, 7);
    EXPECT_EQ(seeds.settings[1].calibration.text, "a.txt");
    const SweepGrid samples = expand(R"({"samples": [16, 32], "bits": 4})", base);
    EXPECT_THAT(names(samples), ElementsAre("n16", "n32"));
    EXPECT_EQ(samples.settings[0].calibration.samples, 16);
    EXPECT_EQ(samples.settings[0].calibration.seed, 5u);
    EXPECT_EQ(samples.settings[0].recipe.seed, 5u);
}

TEST(SweepGrid, ListedSettingsAreMergedOverTheCommonKeys) {
    const SweepGrid grid = expand(R"({"bits": [3, 4], "damping": 0.02, "settings": [
        {"method": "rtn", "bits": 4}, {"name": "mine", "bits": 3, "weak_layers": "q,k"}, {"name": "both", "damping": 0.05}]})");
    EXPECT_THAT(names(grid), ElementsAre("4bit-d0.02-rtn", "mine", "both-3bit-d0.05-owq-weak-all", "both-4bit-d0.05-owq-weak-all"))
        << "damping and the rest take part because they differ";
    EXPECT_EQ(grid.settings[1].recipe.weakLayers, "q,k");
    EXPECT_EQ(grid.settings[1].recipe.damping, 0.02);
    EXPECT_EQ(grid.settings[3].recipe.damping, 0.05);
    EXPECT_TRUE(grid.settings[0].values["weak_layers"].is_null()) << "rtn has no weak columns";
}

TEST(SweepGrid, NamesAreSafeAndUnlikeEachOther) {
    const SweepGrid grid = expand(R"({"weak_layers": ["q,k", "q k", "*.mlp.*", "../../etc", ""], "act_order": [true, false]})");
    EXPECT_THAT(names(grid), ElementsAre("weak-q+k-act-order", "weak-q+k-no-act-order", "weak-q+k-act-order-2", "weak-q+k-no-act-order-2",
                                         "weak-x.mlp.x-act-order", "weak-x.mlp.x-no-act-order", "weak-..x..xetc-act-order",
                                         "weak-..x..xetc-no-act-order", "weak-all-act-order", "weak-all-no-act-order"));
    EXPECT_THAT(names(expand(R"({"bits": 3})")), ElementsAre("owq-3bit"));
    const SweepGrid longOne = expand(R"({"weak_layers": ["a", ")" + std::string(5000, 'q') + R"("]})");
    EXPECT_LE(longOne.settings[1].name.size(), 100u);
}

TEST(SweepGrid, DefaultIsThePapersComparison) {
    const SweepGrid grid = defaultGrid({});
    EXPECT_THAT(names(grid), ElementsAre("3bit-owq-t3.01", "3bit-owq-t3.05", "3bit-owq-t3.1", "3bit-optq", "3bit-rtn", "4bit-owq-t4.01",
                                         "4bit-owq-t4.05", "4bit-owq-t4.1", "4bit-optq", "4bit-rtn"));
    EXPECT_EQ(grid.settings[2].recipe.targetBits, 3.1);
    EXPECT_FALSE(expand(R"({"method": "rtn", "bits": [3, 4]})").needsCalibration());
}

TEST(SweepGrid, WhatCannotBeIsOneClearMessage) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"[]", "not a JSON object"},
        {"{}", "names no setting"},
        {R"({"bit": 3})", "\"bit\" is no field of a recipe. Known are method, bits,"},
        {R"({"bits": []})", "\"bits\" is an empty list"},
        {R"({"bits": null})", "neither a value nor a list"},
        {R"({"bits": [[3]]})", "neither a value nor a list"},
        {R"({"bits": {"a": 3}})", "neither a value nor a list"},
        {R"({"bits": [3, "4"]})", "\"bits\" is not a whole number"},
        {R"({"bits": [3, 5]})", "bits must be 2, 3, 4 or 8, not 5"},
        {R"({"bits": 4294967299})", "not 4294967299"},
        {R"({"bits": [3, 3]})", "settings 1 and 2 are the same"},
        {R"({"method": ["rtn", "owq"], "target_bits": 3.05})", "target bits belong to the method owq"},
        {R"({"method": "rtn", "seed": [0, 1]})", "are the same"},
        {R"({"method": "gptq"})", "there is no method \"gptq\""},
        {R"({"bits": 4, "target_bits": 3.5})", "cannot be reached"},
        {R"({"seed": -1})", "must not be negative"},
        {R"({"seed": 1, "calibration.seed": 1})", "given twice"},
        {R"({"samples": 0})", "at least 1"},
        {R"({"name": "a", "bits": 3})", "outside of \"settings\""},
        {R"({"settings": []})", "not a list of objects"},
        {R"({"settings": 3})", "not a list of objects"},
        {R"({"settings": [3]})", "not a JSON object"},
        {R"({"settings": [{"settings": []}]})", "inside of"},
        {R"({"settings": [{"name": "a", "bits": 3}, {"name": "a", "bits": 4}]})", "two settings have the name \"a\""},
        {R"({"settings": [{"name": "../a"}]})", "cannot be the name"},
        {R"({"settings": [{"name": ""}]})", "cannot be the name"},
        {R"({"settings": [{"name": "sweep.json"}]})", "cannot be the name"},
        {R"({"settings": [{"name": 3}]})", "\"name\" is not a text"},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_THAT(messageOf(text), HasSubstr(expected)) << text;
        EXPECT_THAT(messageOf(text), HasSubstr("grid.json")) << text;
    }
}

TEST(SweepGrid, TooManySettingsAreRefusedBeforeTheyAreMade) {
    Json values = Json::array();
    for (int i = 0; i < 101; ++i) values.push_back(i);
    const Json grid{{"seed", values}, {"samples", values}, {"group_size", values}, {"weak_columns", values}, {"damping", values}};
    EXPECT_THAT(messageOf(grid.dump()), HasSubstr("more than 10000 settings"));
}

TEST(SweepGrid, FilesAreReadStrictly) {
    TemporaryFolder folder;
    writeText(folder / "grid.json", R"({"bits": 3, "bits": 4})");
    EXPECT_THROW(readGrid(folder / "grid.json", {}), Error);
    writeText(folder / "grid.json", std::string(1000, '['));
    EXPECT_THROW(readGrid(folder / "grid.json", {}), Error);
    EXPECT_THROW(readGrid(folder / "none.json", {}), Error);
    writeText(folder / "grid.json", R"({"bits": [3, 4]})");
    EXPECT_EQ(readGrid(folder / "grid.json", {}).settings.size(), 2u);
}

}  // namespace
}  // namespace owq
