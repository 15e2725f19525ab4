// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/file.h"
#include "tests/app/cli/program.h"

namespace owq {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// A copy of owq in a folder of its own, so that a stand-in for the window program can lie beside it.
class FigureCommand : public CliTest {
protected:
    void SetUp() override {
        CliTest::SetUp();
        fs::copy_file(program(), folder / "owq");
    }
    void standIn(const std::string& script) const {
        write("owq-workbench", "#!/bin/sh\n" + script);
        fs::permissions(folder / "owq-workbench", fs::perms::owner_all);
    }
    Outcome figure(std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"figure", "run", "--kind", "hessian", "--layer", "l.0", "--out", "a.pdf"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return Started((folder / "owq").string(), arguments, folder).wait();
    }
};

TEST_F(FigureCommand, SaysWhatIsMissing) {
    const Outcome outcome = figure();
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.error, testing::AllOf(HasSubstr("owq-workbench"), HasSubstr("Qt")));
}

TEST_F(FigureCommand, PassesItsArgumentsOn) {
    standIn("echo \"$QT_QPA_PLATFORM $*\" >&2\n");
    const std::string json = (folder / "figure.json").string();
    const Outcome outcome = figure({"--width-mm", "85", "--font-pt", "7.5", "--csv", "a.csv", "--json", json});
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_EQ(outcome.error, "offscreen --render-figure run --kind hessian --out a.pdf --layer l.0 --width-mm 85 "
                             "--font-pt 7.5 --csv a.csv\n");
    EXPECT_EQ(outcome.out, "a.pdf\n");
    EXPECT_EQ(readJson(json)["kind"], "hessian");
}

TEST_F(FigureCommand, PassesOnWhatTheWindowCanSet) {
    standIn("echo \"$*\" >&2\n");
    const std::string json = (folder / "figure.json").string();
    const Outcome outcome = Started((folder / "owq").string(),
                                    {"figure", "run", "--kind", "cumulative-error", "--layer", "l.0", "--layer", "l.1", "--compare", "other", "--columns-by", "hessian",
                                     "--share", "--line-pt", "1.25", "--dpi", "300", "--out", "a.png", "--json", json},
                                    folder).wait();
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_EQ(outcome.error, "--render-figure run --kind cumulative-error --out a.png --layer l.0 --layer l.1 --compare other --columns-by hessian --share "
                             "--line-pt 1.25 --dpi 300\n");
    EXPECT_EQ(readJson(json)["layers"], Json({"l.0", "l.1"}));
    EXPECT_EQ(readJson(json)["compared_with"], "other");
}

TEST_F(FigureCommand, RefusesWhatCannotBeMeantAndAProjectNeedsNoLayer) {
    standIn("exit 0\n");
    const auto code = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "figure");
        arguments.insert(arguments.end(), {"--out", "a.pdf"});
        return Started((folder / "owq").string(), arguments, folder).wait().code;
    };
    EXPECT_EQ(code({"run", "--kind", "hessian"}), 2);
    EXPECT_EQ(code({"study.owqproject", "--kind", "hessian"}), 0);
    EXPECT_EQ(code({"run", "--kind", "hessian", "--layer", "l.0", "--share"}), 2);
    EXPECT_EQ(code({"run", "--kind", "hessian", "--layer", "l.0", "--columns-by", "size"}), 2);
    EXPECT_EQ(code({"speed.json", "--kind", "speed", "--compare", "run"}), 2);
}

TEST_F(FigureCommand, BenchHasItsTimesDrawnAndLeavesNoFileBehind) {
    standIn("cd \"$(dirname \"$0\")\"; cp \"$2\" seen.json; echo \"$2\" > name; shift 2; echo \"$*\" >&2\n");
    const Outcome outcome = Started((folder / "owq").string(), {"bench", "--synthetic", "llama-7b", "--bits", "3", "--seconds", "0", "--working-set", "1",
                                                                "--figure", "speed.pdf", "--quiet"}, folder).wait();
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_EQ(outcome.error, "--kind speed --out speed.pdf\n");
    const Json seen = readJson(folder / "seen.json");
    EXPECT_EQ(seen["device"], "cpu");
    ASSERT_EQ(seen["layers"].size(), 5U);
    double seconds = 0;  // of a token, by the linears that are not merged
    std::map<std::string, std::pair<int, int>> merged;
    for (const Json& l : seen["layers"]) {
        seconds += l["count"].get<double>() * l["seconds"].get<double>();
        EXPECT_GT(l["seconds"].get<double>(), 0);
        EXPECT_EQ(l["merged"].is_null(), l["count"].get<int>() > 0);
        if (!l["merged"].is_null()) merged[l["merged"]] = {l["rows"], l["columns"]};
    }
    EXPECT_EQ(merged, (std::map<std::string, std::pair<int, int>>{{"gate+up", {22016, 4096}}, {"q+k+v", {12288, 4096}}}));
    EXPECT_NEAR(seconds * seen["packed_linears"][0]["tokens_per_second"].get<double>(), 1, 1e-9);
    std::string name = readText(folder / "name");
    name.pop_back();
    EXPECT_FALSE(fs::exists(name));
}

TEST_F(FigureCommand, FailureOfTheWindowIsOurs) {
    standIn("echo broken >&2; exit 3\n");
    const Outcome outcome = figure();
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.error, testing::AllOf(HasSubstr("broken"), HasSubstr("code 3")));
}

}  // namespace
}  // namespace owq
