// SPDX-License-Identifier: Apache-2.0
// Budgets from a file: what --dry-run writes decides a run, and what cannot be is refused before any work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/jobs/quantize.h"
#include "core/jobs/run_directory.h"
#include "core/pack/layer_file.h"
#include "core/store/run_directory.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class BudgetJob : public testing::Test {
protected:
    BudgetJob() {
        options.model = OWQ_SAMPLE "/sample-opt";
        options.calibration.text = OWQ_SAMPLE "/calibration.txt";
        options.calibration.samples = 1;
        options.calibration.sequenceLength = 64;
        options.out = folder / "plan";
        options.dryRun = true;
        run();
        budget = readJson(folder / "plan" / "budget.json");
        options.dryRun = false;
        options.out = folder / "run";
        options.budget = folder / "budget.json";
    }
    QuantizeResult run() {
        Progress progress;
        return quantize(options, progress, {});
    }
    /// Only the first linears are worked on, which keeps the test short.
    void keepAllBut(size_t first) {
        for (size_t i = first; i < budget["linears"].size(); ++i) {
            budget["linears"][i]["bits"] = 16;
            budget["linears"][i]["weak_columns"] = 0;
        }
    }
    void set(size_t i, int bits, int64_t weak) {
        budget["linears"][i]["bits"] = bits;
        budget["linears"][i]["weak_columns"] = weak;
    }
    /// The whole message of the error, whose where and remedy must be there.
    std::string refusal() {
        writeJson(options.budget, budget);
        try {
            run();
        } catch (const Error& e) {
            EXPECT_FALSE(e.where().empty()) << e.what();
            EXPECT_FALSE(e.remedy().empty()) << e.what();
            EXPECT_FALSE(fs::exists(folder / "run")) << "refused before any work";
            return e.what();
        }
        return "accepted";
    }
    TemporaryFolder folder;
    QuantizeOptions options;
    Json budget;
};

TEST_F(BudgetJob, EachLinearGetsTheBitsAndWeakColumnsItIsGiven) {
    keepAllBut(5);
    set(0, 2, 2), set(1, 3, 6), set(2, 4, 0), set(3, 8, 1), set(4, 16, 0);
    writeJson(options.budget, budget);
    const QuantizeResult result = run();
    ASSERT_EQ(result.layers.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
        const Json& asked = budget["linears"][i];
        const QuantizedLinear made = readLayerFile(layerFile(options.out, asked["name"])).weight;
        EXPECT_EQ(result.layers[i].linear.name, asked["name"].get<std::string>());
        EXPECT_EQ(result.layers[i].bits, asked["bits"].get<int>());
        EXPECT_EQ(made.bits, asked["bits"].get<int>());
        EXPECT_EQ(int64_t(made.weakColumns.size()), asked["weak_columns"].get<int64_t>());
        EXPECT_LT(*std::max_element(made.codes.begin(), made.codes.end()), 1 << made.bits);
        EXPECT_GE(*std::max_element(made.codes.begin(), made.codes.end()), 1 << (made.bits - 1)) << "the whole width is used";
    }
    const RunSummary summary = openRun(options.out);
    EXPECT_TRUE(summary.finished);
    EXPECT_EQ(summary.total, 4);
    // The four are of one shape: the paper counts the mean.
    const double columns = 256;
    EXPECT_DOUBLE_EQ(result.effectiveBits.paper,
                     ((2 * 254 + 16 * 2) + (3 * 250 + 16 * 6) + 4 * 256 + (8 * 255 + 16)) / (4 * columns));
    EXPECT_EQ(result.targetBits, result.effectiveBits.paper) << "a budget is its own target";
    for (const std::string& warning : result.warnings) EXPECT_THAT(warning, testing::Not(HasSubstr("target")));
}

TEST_F(BudgetJob, APlanFromAPlanIsThePlanWithItsLocks) {
    set(0, 4, 2), set(1, 16, 0);
    budget["linears"][0]["locked"] = true;
    budget["linears"][1]["locked"] = true;
    writeJson(options.budget, budget);
    options.dryRun = true;
    const QuantizeResult plan = run();
    EXPECT_EQ(readJson(options.out / "budget.json"), budget);
    EXPECT_EQ(plan.layers[0].bits, 4);
    EXPECT_EQ(plan.plannedWeakColumns[0], 2);
    EXPECT_EQ(plan.layers[1].bits, 16);
    // The plan's sizes are the run's.
    keepAllBut(2);
    writeJson(options.budget, budget);
    options.out = folder / "small";
    const QuantizeResult small = run();
    options.dryRun = false;
    options.out = folder / "run";
    const QuantizeResult made = run();
    EXPECT_EQ(made.packedBytes, small.packedBytes);
    EXPECT_EQ(made.fileBytes, small.fileBytes);
    EXPECT_EQ(made.effectiveBits.stored, small.effectiveBits.stored);
}

TEST_F(BudgetJob, TheImpossibleIsRefusedWithItsNameAndARemedy) {
    const Json good = budget;
    const std::string name = good["linears"][5]["name"], file = options.budget.string();
    const auto refused = [&](auto change) {
        budget = good;
        change();
        return refusal();
    };
    EXPECT_THAT(refused([&] { set(5, 5, 0); }), AllOf(HasSubstr(file), HasSubstr(name), HasSubstr("2, 3, 4, 8 or 16, not 5")));
    EXPECT_THAT(refused([&] { set(5, 3, 1024); }), AllOf(HasSubstr(file), HasSubstr(name), HasSubstr("between 0 and 1023, not 1024")));
    EXPECT_THAT(refused([&] { set(5, 3, -1); }), AllOf(HasSubstr(name), HasSubstr("not -1")));
    EXPECT_THAT(refused([&] { keepAllBut(0); }), AllOf(HasSubstr(file), HasSubstr("nothing is left to quantize")));
    EXPECT_THAT(refused([&] { budget["linears"].erase(5); }), AllOf(HasSubstr(file), HasSubstr(name), HasSubstr("is missing")));
    EXPECT_THAT(refused([&] { budget["linears"][5]["name"] = "other"; }), AllOf(HasSubstr(file), HasSubstr("\"other\"")));
    EXPECT_THAT(refused([&] { budget["linears"].push_back(budget["linears"][5]); }), AllOf(HasSubstr(name), HasSubstr("twice")));
    EXPECT_THAT(refused([&] { budget["linears"][5]["weak_colums"] = 4; }), AllOf(HasSubstr(name), HasSubstr("weak_colums")));
    EXPECT_THAT(refused([&] { budget["schema"] = 2; }), AllOf(HasSubstr(file), HasSubstr("schema")));
    EXPECT_THAT(refused([&] { budget["linears"] = 3; }), AllOf(HasSubstr(file), HasSubstr("not a list")));
    options.recipe.groupSize = 96;
    EXPECT_THAT(refused([&] { keepAllBut(1); }), AllOf(HasSubstr("q_proj"), HasSubstr("groups of 96")));
    options.recipe.groupSize = 0;
    options.recipe.method = Method::rtn;
    EXPECT_THAT(refused([&] { set(5, 3, 2); }), AllOf(HasSubstr(name), HasSubstr("belong to the method owq")));
}

TEST_F(BudgetJob, DamagedFilesAreNamed) {
    const auto refused = [&](const std::string& text) -> std::string {
        writeText(options.budget, text);
        try {
            run();
        } catch (const Error& e) {
            return e.what();
        }
        return "accepted";
    };
    const std::string file = options.budget.string();
    for (const char* text : {"", "{", "[]", "{}", "{\"schema\": 1}", "{\"schema\": 1, \"linears\": [3]}", "{\"schema\": 1, \"linears\": [{}]}",
                             "{\"schema\": 1, \"linears\": [{\"name\": \"model.decoder.layers.0.fc1\", \"bits\": \"three\"}]}",
                             "{\"schema\": 1, \"linears\": [{\"name\": \"model.decoder.layers.0.fc1\", \"bits\": 3.5}]}",
                             "{\"schema\": 1, \"linears\": [{\"name\": \"model.decoder.layers.0.fc1\", \"bits\": 3, \"weak_columns\": 1e30}]}"})
        EXPECT_THAT(refused(text), HasSubstr(file)) << text;
    fs::remove(options.budget);
    EXPECT_THROW(run(), Error);
    EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST_F(BudgetJob, ARunGoesOnOnlyUnderItsOwnBudget) {
    keepAllBut(2);
    set(0, 3, 2), set(1, 4, 0);
    writeJson(options.budget, budget);
    std::stop_source stop;
    options.onLayer = [&](const LayerReport&) { stop.request_stop(); };
    Progress progress;
    EXPECT_THROW(quantize(options, progress, stop.get_token()), Cancelled);
    options.onLayer = {};
    options.resume = true;
    const Json same = budget;
    set(1, 8, 0);
    writeJson(options.budget, budget);
    try {
        run();
        FAIL();
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr("budget[" + budget["linears"][1]["name"].get<std::string>() + "].bits (was 4, now 8)"));
    }
    writeJson(options.budget, same);
    EXPECT_EQ(run().layers.size(), 2u);
}

}  // namespace
}  // namespace owq
