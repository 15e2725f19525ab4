// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "tests/app/cli/program.h"

namespace owq {
namespace {

using testing::HasSubstr;
using CompareCommand = CliTest;

TEST_F(CompareCommand, PrintsRunsAndTheLinearsThatDifferMost) {
    const std::string a = (folder / "a").string(), b = (folder / "b").string();
    for (const auto& [out, bits] : {std::pair{a, "3"}, {b, "4"}})
        ASSERT_EQ(owq({"quantize", sample("sample-opt"), "--out", out, "--method", "optq", "--bits", bits, "--layers", "q", "--calibration",
                       sample("calibration.txt"), "--samples", "2", "--sequence-length", "64"}).code, 0);
    const auto json = folder / "result.json", csv = folder / "result.csv";
    const Outcome outcome = owq({"compare", a, b, "--limit", "3", "--json", json.string(), "--csv", csv.string()});
    ASSERT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_THAT(outcome.out, testing::ContainsRegex("run +method +bits +paper bits +stored bits +linears +model +error +time +memory"));
    EXPECT_THAT(outcome.out, testing::ContainsRegex("\n +b +optq +4 +4\\.0000 "));
    EXPECT_THAT(outcome.out, testing::ContainsRegex("linear +bits A +weak A +error A +bits B +weak B +error B +shared weak +B / A"));
    EXPECT_THAT(outcome.out, testing::ContainsRegex("and [0-9]+ more that differ less"));
    const Json result = readJson(json);
    EXPECT_EQ(result["runs"][1]["recipe"]["bits"], 4);
    for (const Json& l : result["layers"]) EXPECT_LT(l["runs"][1]["error"].get<double>(), l["runs"][0]["error"].get<double>());
    std::stringstream text;
    text << std::ifstream(csv).rdbuf();
    EXPECT_THAT(text.str(), testing::StartsWith("linear,run,bits,weak_columns,shared_weak_columns,error,log_ratio\n"));
}

TEST_F(CompareCommand, NeedsTwoRuns) {
    EXPECT_EQ(owq({"compare", (folder / "a").string()}).code, 2);
    const Outcome none = owq({"compare", (folder / "a").string(), (folder / "b").string()});
    EXPECT_EQ(none.code, 1);
    EXPECT_THAT(none.error, HasSubstr((folder / "a").string()));
}

}  // namespace
}  // namespace owq
