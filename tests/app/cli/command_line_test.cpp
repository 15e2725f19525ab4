// SPDX-License-Identifier: Apache-2.0
// Exit codes and messages of the program: 0 done, 1 failed, 2 wrong usage.
#include <gmock/gmock.h>

#include "tests/app/cli/program.h"

namespace owq {
namespace {

using testing::HasSubstr;
using Arguments = std::vector<std::string>;

using CommandLine = CliTest;

TEST_F(CommandLine, VersionAndHelp) {
    const Outcome version = owq({"--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_THAT(version.out, testing::MatchesRegex("owq [0-9]+\\.[0-9]+\\.[0-9]+\n"));
    const Outcome help = owq({"help"});
    EXPECT_EQ(help.code, 0);
    for (const char* name : {"inspect", "calibrate", "quantize", "evaluate", "export", "generate", "sweep", "bench", "tokenize", "figure"}) {
        EXPECT_THAT(help.out, HasSubstr(name));
        const Outcome one = owq({"help", name});
        EXPECT_EQ(one.code, 0) << name;
        EXPECT_THAT(one.out, testing::AllOf(HasSubstr("--json"), HasSubstr("--threads"), HasSubstr("--quiet"))) << name;
        EXPECT_EQ(owq({name, "--help"}).code, 0) << name;
    }
    EXPECT_EQ(owq({}).code, 2);
    EXPECT_EQ(owq({"help", "nothing"}).code, 2);
}

TEST_F(CommandLine, WrongUsageIsTwo) {
    const std::string model = sample("sample-opt");
    const std::vector<Arguments> wrong = {
        {"unknown"},
        {"inspect"},
        {"inspect", model, "--unknown"},
        {"inspect", model, "--threads", "0"},
        {"inspect", model, "--json", (folder / "no" / "such.json").string()},
        {"evaluate", model},
        {"evaluate", model, "--text", "a", "--tokens", "b"},
        {"evaluate", model, "--text", "a", "--protocol", "wiki"},
        {"evaluate", model, "--text", "a", "--sequence-length", "1"},
        {"evaluate", model, "--text", "a", "--against-model", model},
        {"quantize", model},
        {"quantize", model, "--out", "x"},  // no calibration
        {"quantize", model, "--out", "x", "--calibration", "a", "--calibration-tokens", "b"},
        {"quantize", model, "--out", "x", "--calibration", "a", "--method", "gptq"},
        {"quantize", model, "--out", "x", "--calibration", "a", "--bits", "three"},
        {"quantize", model, "--out", "x", "--calibration", "a", "--bits", "77"},
        {"quantize", model, "--out", "x", "--calibration", "a", "--sequence-length", "all"},
        {"quantize", model, "--out", "x", "--calibration", "a", "--resume", "--force"},
        {"export", "run", "--format", "owq"},
        {"export", "run", "--format", "zip", "--out", "x"},
        {"generate", model},
        {"generate", model, "--prompt", "a", "--arithmetic", "double"},
        {"bench"},
        {"bench", model, "--synthetic", "llama-7b"},
        {"bench", model, "--arithmetic", "dense"},
        {"bench", model, "--bits", "5"},
        {"bench", model, "--batch", "0"},
        {"bench", model, "--group-size", "48"},
        {"bench", model, "--device", "tpu"},
        {"bench", "--synthetic", "gpt-9"},
        {"bench", model, "--figure", "speed.gif"},
        {"generate", model, "--prompt", "a", "--top-p", "2"},
        {"generate", model, "--prompt", "a", "--top-p", "0"},
        {"generate", model, "--prompt", "a", "--top-p", "nan"},
        {"judge", model, model, "--prompts", "p.txt", "--out", "x", "--top-p", "0"},
        {"tokenize", model},
        {"tokenize", model, "--text", "a", "--jsonl", "b"},
        {"figure", "run", "--kind", "pie", "--layer", "a", "--out", "a.pdf"},
        {"figure", "run", "--kind", "hessian", "--layer", "a", "--out", "a.gif"},
        {"export", "run", "--format", "owq-pth", "--layout", "storage", "--out", "x"},
        {"evaluate", model, "--text", "a", "--tasks", "t.jsonl"},
        {"evaluate", model, "--text", "a", "--shots", "1"},
        {"evaluate", model, "--tasks", "t.jsonl", "--task-format", "trivia"},
        {"judge", "a", "b"},
        {"judge", "a", "--prompts", "p.txt", "--out", "x"},
        {"judge", "--out", "x"},
        {"export", "run", "--format", "gptq", "--layout", "storage", "--out", "x"},
        {"export", "run", "--format", "owq", "--layout", "small", "--out", "x"},
        {"quantize", model, "--out", "x", "--calibration", "a", "--device", "tpu"},
        {"generate", model, "--prompt", "a", "--device", "gpu"},
        {"tune", model, "--data", "a"},
        {"tune", model, "--data", "a", "--out", "x", "--warm-up", "2"},
        {"tune", model, "--data", "a", "--out", "x", "--force", "--resume"},
    };
    for (const Arguments& arguments : wrong) {
        const Outcome outcome = owq(arguments);
        EXPECT_EQ(outcome.code, 2) << testing::PrintToString(arguments) << outcome.error;
        EXPECT_THAT(outcome.error, HasSubstr("owq: ")) << testing::PrintToString(arguments);
        EXPECT_EQ(outcome.out, "");
    }
}

}  // namespace
}  // namespace owq
