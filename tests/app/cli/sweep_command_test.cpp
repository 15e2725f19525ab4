// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/app/cli/program.h"

namespace owq {
namespace {

using testing::HasSubstr;
using testing::Not;
using SweepCommand = CliTest;

TEST_F(SweepCommand, PrintsATableAndWritesTheResult) {
    const auto grid = write("grid.json", R"({"method": ["rtn", "optq"], "bits": 4, "layers": "q,k"})");
    const auto json = folder / "result.json";
    const std::vector<std::string> arguments{
        "sweep", sample("sample-llama"), "--out", (folder / "s").string(), "--grid-file", grid.string(), "--calibration",
        sample("calibration.txt"), "--samples", "2", "--sequence-length", "32", "--text", sample("heldout.txt"), "--protocol", "plain",
        "--text", sample("heldout.txt"), "--protocol", "c4", "--evaluation-length", "64", "--max-windows", "1", "--json", json.string()};
    const Outcome first = owq(arguments);
    ASSERT_EQ(first.code, 0) << first.error;
    EXPECT_THAT(first.out, testing::ContainsRegex("setting +method +paper bits +stored bits +size +ppl heldout.txt +ppl heldout.txt \\(c4\\) +time"));
    EXPECT_THAT(first.out, testing::ContainsRegex("\n +original .*MiB"));
    EXPECT_THAT(first.out, testing::ContainsRegex("\n +optq +optq +4\\.0000 "));
    EXPECT_THAT(first.error, HasSubstr("Setting 1 of 2 (rtn) "));
    EXPECT_THAT(first.out, Not(HasSubstr("reused")));
    const Json result = readJson(json);
    EXPECT_EQ(result["settings"].size(), 2u);
    EXPECT_EQ(result["settings"][1]["recipe"]["method"], "optq");
    EXPECT_EQ(result["settings"][1]["perplexity"][1]["protocol"], "c4");
    EXPECT_GT(result["original"]["perplexity"][0]["perplexity"].get<double>(), 1);
    EXPECT_EQ(result["failed"], 0);

    const Outcome second = owq(arguments);
    EXPECT_EQ(second.code, 0) << second.error;
    EXPECT_THAT(second.out, testing::ContainsRegex("optq +optq .* reused\n"));
}

TEST_F(SweepCommand, AFailedSettingMakesTheExitCodeOne) {
    const auto grid = write("grid.json", R"({"method": "rtn", "group_size": [7, 32]})");
    const Outcome outcome = owq({"sweep", sample("sample-opt"), "--out", (folder / "s").string(), "--grid-file", grid.string()});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.out, testing::ContainsRegex("g7 +7 +failed"));
    EXPECT_THAT(outcome.error, HasSubstr("setting g7 failed: "));
    EXPECT_THAT(outcome.error, HasSubstr("1 of 2 settings failed"));
}

TEST_F(SweepCommand, WrongGridsAndUsageAreToldBeforeAnythingRuns) {
    const std::string out = (folder / "s").string(), model = sample("sample-opt");
    const Outcome noCalibration = owq({"sweep", model, "--out", out});
    EXPECT_EQ(noCalibration.code, 2);
    EXPECT_THAT(noCalibration.error, HasSubstr("--calibration"));
    const auto grid = write("grid.json", R"({"method": "rtn", "bitz": 3})");
    const Outcome unknown = owq({"sweep", model, "--out", out, "--grid-file", grid.string()});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_THAT(unknown.error, HasSubstr("\"bitz\" is no field"));
    const auto good = write("good.json", R"({"method": "rtn"})");
    EXPECT_EQ(owq({"sweep", model, "--out", out, "--grid-file", good.string(), "--protocol", "c4", "--protocol", "ptb"}).code, 2);
    EXPECT_EQ(owq({"sweep", model, "--out", out, "--grid-file", (folder / "none").string()}).code, 1);
    EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace owq
