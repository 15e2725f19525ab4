// SPDX-License-Identifier: Apache-2.0
#include "core/store/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

LinearOutcome outcomeOf(float value) {
    LinearOutcome o;
    o.weight.rows = 2;
    o.weight.columns = 4;
    o.weight.codes = {0, 1, 2, 3, 4, 5, 6, 7};
    o.weight.scale = {value, 2 * value};
    o.weight.zero = {3, 4};
    o.statistics.columnMin = {1, 2, 3, 4};
    o.error = value;
    o.notes = {"damping was raised"};
    return o;
}

LinearInfo infoOf(const std::string& name) {
    LinearInfo l;
    l.name = name;
    l.rows = 2;
    l.columns = 4;
    return l;
}

class RunDirectoryTest : public testing::Test {
protected:
    void SetUp() override { folder = fs::temp_directory_path() / ("owq-run-test-" + std::to_string(::getpid())); }
    void TearDown() override { fs::remove_all(folder); }
    static Json description(int bits = 3) {
        return {{"schema", 1}, {"kind", "run"}, {"model", "/nowhere"}, {"recipe", {{"bits", bits}}}, {"linears", {"a.q", "a.k"}}};
    }
    std::unique_ptr<RunDirectory> open(RunDirectory::IfThere ifThere, int bits = 3) {
        return RunDirectory::open(folder, description(bits), ifThere, DType::f16);
    }
    void storeBothAndCutTheLastLine() {
        {
            const auto run = open(If::refuse);
            run->store(infoOf("a.q"), outcomeOf(0.5f));
            run->store(infoOf("a.k"), outcomeOf(0.25f));
        }
        std::string journal = readText(folder / "journal.jsonl");
        journal.resize(journal.size() - 20);
        writeText(folder / "journal.jsonl", journal);
    }
    fs::path folder;
    using If = RunDirectory::IfThere;
};

TEST_F(RunDirectoryTest, FinishedLinearsSurvive) {
    open(If::refuse)->store(infoOf("a.q"), outcomeOf(0.5f));
    const auto again = open(If::resume);
    EXPECT_TRUE(again->has("a.q"));
    EXPECT_FALSE(again->has("a.k"));
    EXPECT_EQ(again->load("a.q").weight.scale, (std::vector<float>{0.5f, 1.f}));
    EXPECT_EQ(readRunState(folder).finished, std::vector<std::string>{"a.q"});
    EXPECT_THAT(readText(folder / "run.log"), HasSubstr("a.q: damping was raised"));
}

TEST_F(RunDirectoryTest, AFileThatChangedOrALineCutShortDoesNotCount) {
    storeBothAndCutTheLastLine();
    EXPECT_FALSE(open(If::resume)->has("a.k"));
    std::ofstream(folder / "layers" / "a.q.safetensors", std::ios::app) << "x";
    EXPECT_FALSE(open(If::resume)->has("a.q"));
}

TEST_F(RunDirectoryTest, AJournalLineCutShortDoesNotSwallowTheNextOne) {
    storeBothAndCutTheLastLine();
    open(If::resume)->store(infoOf("a.k"), outcomeOf(0.25f));
    EXPECT_EQ(readRunState(folder).finished, (std::vector<std::string>{"a.q", "a.k"}));
    EXPECT_TRUE(open(If::resume)->has("a.k"));
}

TEST_F(RunDirectoryTest, WhatAKilledProgramLeftIsClearedAway) {
    open(If::refuse)->store(infoOf("a.q"), outcomeOf(0.5f));
    for (const char* name : {"recipe.json.tmp-7-0", "statistics.h5.tmp-12-3", "layers/a.k.safetensors.tmp-7-12"}) writeText(folder / name, "half");
    writeText(folder / "notes.tmp-mine", "a person's");
    const auto run = open(If::resume);
    EXPECT_TRUE(run->has("a.q"));
    EXPECT_FALSE(fs::exists(folder / "recipe.json.tmp-7-0"));
    EXPECT_FALSE(fs::exists(folder / "statistics.h5.tmp-12-3"));
    EXPECT_FALSE(fs::exists(folder / "layers" / "a.k.safetensors.tmp-7-12"));
    EXPECT_TRUE(fs::exists(folder / "notes.tmp-mine"));
}

TEST_F(RunDirectoryTest, AFolderWhereOnlyThePlanWasBegunIsStillFree) {
    fs::create_directories(folder / "layers");
    for (const char* name : {".lock", "run.log", "budget.json", "budget.json.tmp-7-0", "recipe.json.tmp-7-1"}) writeText(folder / name, "");
    open(If::resume)->store(infoOf("a.q"), outcomeOf(0.5f));
    EXPECT_FALSE(fs::exists(folder / "budget.json.tmp-7-0"));
    EXPECT_TRUE(isRunDirectory(folder));
    fs::remove_all(folder);
    fs::create_directories(folder);
    writeText(folder / "thesis.tmp-7-0", "mine");
    EXPECT_THROW(open(If::replace), Error);
    EXPECT_TRUE(fs::exists(folder / "thesis.tmp-7-0"));
}

TEST_F(RunDirectoryTest, AResultWhoseLinearsAreDamagedIsTakenBack) {
    {
        const auto run = open(If::refuse);
        run->store(infoOf("a.q"), outcomeOf(0.5f));
        run->store(infoOf("a.k"), outcomeOf(0.25f));
        run->finish("opt", [] { return Json{{"done", true}}; });
    }
    EXPECT_TRUE(open(If::resume)->complete());
    std::ofstream(folder / "layers" / "a.q.safetensors", std::ios::app) << "x";
    EXPECT_FALSE(open(If::resume)->complete());
    EXPECT_FALSE(readRunState(folder).complete);
}

TEST_F(RunDirectoryTest, WhatDiffersInABudgetIsNamedByItsLinear) {
    Json d = description();
    d["budget"] = {{{"name", "a.q"}, {"bits", 3}}, {{"name", "a.k"}, {"bits", 4}}};
    RunDirectory::open(folder, d, If::refuse, DType::f16);
    d["budget"][1]["bits"] = 8;
    try {
        RunDirectory::open(folder, d, If::resume, DType::f16);
        FAIL();
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr("budget[a.k].bits (was 4, now 8)"));
    }
}

TEST_F(RunDirectoryTest, ExistingRunsAreNeverOverwrittenUnasked) {
    open(If::refuse)->store(infoOf("a.q"), outcomeOf(0.5f));
    EXPECT_THROW(open(If::refuse), Error);
    EXPECT_THROW(open(If::resume, 4), Error);
    const auto replaced = open(If::replace, 4);
    EXPECT_FALSE(replaced->has("a.q"));
    EXPECT_TRUE(fs::is_empty(folder / "layers"));
    EXPECT_THROW(open(If::resume, 4), Error) << "the lock is held";
}

TEST_F(RunDirectoryTest, HostileNamesStayInside) {
    for (const char* name : {"../x", "a/b", ".hidden", ""}) EXPECT_THROW(layerFile(folder, name), Error) << name;
    EXPECT_FALSE(isRunDirectory(folder / "none"));
    fs::create_directories(folder);
    writeText(folder / "recipe.json", "{\"schema\": 1}");
    EXPECT_FALSE(isRunDirectory(folder));
    EXPECT_THROW(readRunState(folder), Error);
}

TEST_F(RunDirectoryTest, FinishWritesStatisticsAndResult) {
    const auto run = open(If::refuse);
    run->store(infoOf("a.q"), outcomeOf(0.5f));
    run->store(infoOf("a.k"), outcomeOf(0.25f));
    run->finish("opt", [] { return Json{{"done", true}}; });
    EXPECT_TRUE(readRunState(folder).complete);
    const StatisticsFile file = readStatistics(folder / "statistics.h5");
    ASSERT_EQ(file.layers.size(), 2u);
    EXPECT_EQ(file.layers[1].name, "a.k");
    EXPECT_EQ(file.layers[0].statistics.columnMin, (std::vector<float>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace owq
