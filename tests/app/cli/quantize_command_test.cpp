// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/file.h"
#include "tests/app/cli/program.h"

namespace owq {
namespace {

using QuantizeCommand = CliTest;

TEST_F(QuantizeCommand, TheRecipeBestSetsWhatIsNotChosenOtherwise) {
    const auto recipeOf = [&](const std::string& name, std::vector<std::string> more) {
        const std::string out = (folder / name).string();
        std::vector<std::string> arguments = {"quantize", sample("sample-opt"), "--out", out, "--calibration", sample("calibration.txt"),
                                              "--samples", "1", "--sequence-length", "32", "--layers", "model.decoder.layers.0.self_attn.q_proj", "--quiet"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = owq(arguments);
        EXPECT_EQ(outcome.code, 0) << outcome.error;
        return readJson(out + "/recipe.json")["recipe"];
    };
    const Json paper = recipeOf("paper", {}), best = recipeOf("best", {"--recipe", "best"});
    EXPECT_EQ(paper["refine"], 0);
    EXPECT_EQ(paper["stored_scales"], false);
    EXPECT_EQ(best["preset"], "best");
    EXPECT_EQ(best["refine"], 20);
    EXPECT_EQ(best["stored_scales"], true);
    EXPECT_EQ(paper["damping"], 0.01);
    EXPECT_EQ(best["damping"], 0.0005);
    EXPECT_EQ(best["input_correction"], 0.25);
    EXPECT_EQ(paper["allocation"], "paper");
    EXPECT_EQ(best["allocation"], "greedy");
    EXPECT_EQ(recipeOf("given", {"--recipe", "best", "--weak-columns", "2"})["allocation"], "paper");
    EXPECT_EQ(recipeOf("damped", {"--recipe", "best", "--damping", "0.02"})["damping"], 0.02);
    EXPECT_EQ(recipeOf("chosen", {"--recipe", "best", "--refine", "3"})["refine"], 3);
    EXPECT_EQ(recipeOf("rtn", {"--recipe", "best", "--method", "rtn"})["refine"], 0) << "plain rounding has nothing to refine with";
    EXPECT_EQ(owq({"quantize", sample("sample-opt"), "--out", (folder / "x").string(), "--method", "rtn", "--refine", "2"}).code, 2);
}

TEST_F(QuantizeCommand, ABudgetFileIsAllocatedAnewOnlyWhenAsked) {
    const std::string plan = (folder / "plan").string();
    ASSERT_EQ(owq({"quantize", sample("sample-opt"), "--out", plan, "--dry-run", "--target-bits", "3.2"}).code, 0);
    const std::string file = plan + "/budget.json";
    Json locked = readJson(file);
    locked["linears"][3]["bits"] = 8;
    locked["linears"][3]["locked"] = true;
    writeText(file, locked.dump());
    const auto planned = [&](const std::string& name, std::vector<std::string> more) {
        std::vector<std::string> arguments = {"quantize", sample("sample-opt"), "--out", (folder / name).string(), "--dry-run", "--budget", file};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = owq(arguments);
        EXPECT_EQ(outcome.code, 0) << outcome.error;
        return readJson((folder / name / "budget.json").string());
    };
    EXPECT_EQ(planned("same", {"--recipe", "best"}), locked);
    const Json anew = planned("anew", {"--allocation", "greedy", "--calibration", sample("calibration.txt"), "--samples", "2", "--sequence-length", "64"});
    EXPECT_EQ(anew["linears"][3], locked["linears"][3]);
    EXPECT_NE(anew, locked);
    EXPECT_THAT(owq({"quantize", sample("sample-opt"), "--out", plan, "--dry-run", "--allocation", "greedy"}).error, testing::HasSubstr("--calibration"));
}

TEST_F(QuantizeCommand, AGpuThatIsNotThereIsSaidBeforeAnythingIsWritten) {
    if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "there is a GPU";
    const std::string out = (folder / "gpu").string();
    const Outcome outcome = owq({"quantize", sample("sample-opt"), "--out", out, "--calibration", sample("calibration.txt"), "--device", "cuda", "--quiet"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.error, testing::HasSubstr("no GPU can be used"));
    EXPECT_THAT(outcome.error, testing::HasSubstr("--device cpu"));
    EXPECT_FALSE(std::filesystem::exists(out));
    for (const std::vector<std::string>& other : {std::vector<std::string>{"generate", sample("sample-opt"), "--prompt", "a"},
                                                  {"evaluate", sample("sample-opt"), "--text", sample("heldout.txt")},
                                                  {"bench", "--synthetic", "llama-7b"}}) {
        std::vector<std::string> arguments = other;
        arguments.insert(arguments.end(), {"--device", "cuda"});
        const Outcome refused = owq(arguments);
        EXPECT_EQ(refused.code, 1);
        EXPECT_THAT(refused.error, testing::HasSubstr("no GPU can be used"));
        EXPECT_THAT(refused.error, testing::HasSubstr("--device cpu"));
    }
    // A plan needs none.
    const std::string plan = (folder / "plan.json").string();
    const Outcome planned = owq({"quantize", sample("sample-opt"), "--out", out, "--calibration", sample("calibration.txt"), "--device", "cuda",
                                 "--dry-run", "--json", plan, "--quiet"});
    EXPECT_EQ(planned.code, 0) << planned.error;
    EXPECT_EQ(readJson(plan)["device"], "cuda");
    EXPECT_GT(readJson(plan)["device_memory_forecast"]["peak_bytes"], 0);
}

}  // namespace
}  // namespace owq
