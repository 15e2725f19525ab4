// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/file.h"
#include "tests/app/cli/program.h"

namespace owq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using EvaluateCommand = CliTest;

TEST_F(EvaluateCommand, AgainstAnOriginal) {
    const std::string model = sample("sample-llama"), run = (folder / "run").string(), json = (folder / "result.json").string();
    ASSERT_EQ(owq({"quantize", model, "--out", run, "--method", "rtn", "--bits", "3", "--quiet"}).code, 0);
    std::vector<std::string> arguments = {"evaluate", run,           "--against",        model,    "--text", sample("heldout.txt"),
                                          "--json",   json,          "--sequence-length", "64",    "--max-windows", "3"};
    const Outcome outcome = owq(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_THAT(outcome.out, testing::ContainsRegex("KL divergence +0\\.[0-9]+ ± 0\\.[0-9]+ nats per token\n"));
    EXPECT_THAT(outcome.out, testing::ContainsRegex("top-1 agreement +[0-9]+\\.[0-9]+ %\n"));
    EXPECT_THAT(outcome.out, testing::ContainsRegex("perplexity ratio +[0-9.]+ ± 0\\.[0-9]+\n"));
    EXPECT_THAT(outcome.out, HasSubstr(model + ", perplexity "));
    const Json result = readJson(json);
    EXPECT_GT(result["kl"]["mean"].get<double>(), 0.01);
    EXPECT_GT(result["perplexity"].get<double>(), result["original"]["perplexity"].get<double>());

    arguments.back() = "1";
    const Outcome one = owq(arguments);
    EXPECT_EQ(one.code, 0) << one.error;
    EXPECT_THAT(one.out, AllOf(HasSubstr("nats per token"), Not(HasSubstr("±"))));
    EXPECT_TRUE(readJson(json)["kl"]["standard_error"].is_null());

    std::string lines, text = readText(sample("heldout.txt"));
    for (int i = 0; i < 3; ++i) lines += Json{{"text", text.substr(size_t(i) * 400, 300)}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    writeText(folder / "three.jsonl", lines);
    const Outcome documents = owq({"evaluate", run, "--against", model, "--text", (folder / "three.jsonl").string(), "--sequence-length", "32", "--json", json});
    ASSERT_EQ(documents.code, 0) << documents.error;
    EXPECT_THAT(documents.out, testing::ContainsRegex("documents +3; most in no\\. [123] \\(0\\.[0-9]+ nats per token over [0-9]+\\), no\\. "));
    const Json each = readJson(json)["documents"];
    ASSERT_EQ(each.size(), 3u);
    EXPECT_EQ(each[2]["document"], 3);
    EXPECT_EQ(each[0]["tokens"].get<int64_t>() + each[1]["tokens"].get<int64_t>() + each[2]["tokens"].get<int64_t>(), readJson(json)["tokens"].get<int64_t>());
}

TEST_F(EvaluateCommand, OtherTokenizersAreRefused) {
    const Outcome outcome = owq({"evaluate", sample("sample-llama"), "--against", sample("sample-opt"), "--text",
                                 sample("heldout.txt"), "--max-windows", "1"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.error, AllOf(HasSubstr("sample-opt"), HasSubstr("different tokens of this text")));
}

}  // namespace
}  // namespace owq
