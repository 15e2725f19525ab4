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
    EXPECT_EQ(recipeOf("damped", {"--recipe", "best", "--damping", "0.02"})["damping"], 0.02);
    EXPECT_EQ(recipeOf("chosen", {"--recipe", "best", "--refine", "3"})["refine"], 3);
    EXPECT_EQ(recipeOf("rtn", {"--recipe", "best", "--method", "rtn"})["refine"], 0) << "plain rounding has nothing to refine with";
    EXPECT_EQ(owq({"quantize", sample("sample-opt"), "--out", (folder / "x").string(), "--method", "rtn", "--refine", "2"}).code, 2);
}

}  // namespace
}  // namespace owq
