// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/file.h"
#include "tests/app/cli/program.h"

namespace owq {
namespace {

using testing::HasSubstr;
using TokenizeCommand = CliTest;
using Ids = std::vector<std::vector<int32_t>>;

TEST_F(TokenizeCommand, ThereAndBack) {
    const std::string text = "Hello world\n\n\xe2\x80\x94 na\xc3\xafve </s>";
    const std::string json = (folder / "ids.json").string();
    for (const char* model : {"sample-opt", "sample-llama", "sample-llama/tokenizer.model", "sample-opt/vocab.json"}) {
        const Outcome there = owq({"tokenize", sample(model), "--text", write("a.txt", text).string(), "--json", json});
        ASSERT_EQ(there.code, 0) << there.error;
        EXPECT_THAT(there.out, HasSubstr("1 text"));
        const Json result = readJson(json);
        ASSERT_EQ(result["ids"].size(), 1u);
        EXPECT_EQ(result["ids"][0].size(), result["tokens"][0].size());
        const Outcome back = owq({"tokenize", sample(model), "--decode", json, "--no-special"});
        EXPECT_EQ(back.code, 0) << back.error;
        EXPECT_EQ(back.out.substr(0, 11), "Hello world") << model;
    }
}

TEST_F(TokenizeCommand, GoldenIdsFromJsonLines) {
    const Json cases = readJson(std::string(OWQ_TEST_DATA) + "/tokenizer_cases.json")["cases"];
    std::string lines;
    for (const Json& entry : cases) lines += Json{{"text", entry["text"]}}.dump() + "\n";
    const std::string file = write("cases.jsonl", lines).string(), json = (folder / "ids.json").string();
    ASSERT_EQ(owq({"tokenize", sample("sample-opt"), "--jsonl", file, "--json", json, "--quiet"}).code, 0);
    const Json ids = readJson(json)["ids"];
    ASSERT_EQ(ids.size(), cases.size());
    for (size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(ids[i], cases[i]["opt"]) << cases[i]["text"];

    ASSERT_EQ(owq({"tokenize", sample("sample-llama"), "--jsonl", file, "--json", json, "--spell-special"}).code, 0);
    const Json spelled = readJson(json)["ids"];
    for (size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(spelled[i], cases[i]["llama"]) << cases[i]["text"];
}

TEST_F(TokenizeCommand, PiecesForAPerson) {
    const Outcome outcome = owq({"tokenize", sample("sample-llama"), "--text", write("a.txt", "a").string()});
    EXPECT_EQ(outcome.out, "1\t<s>\n261\t\xe2\x96\x81" "a\n");
    EXPECT_EQ(owq({"tokenize", sample("sample-llama"), "--text", (folder / "a.txt").string(), "--no-special"}).out,
              "261\t\xe2\x96\x81" "a\n");
}

TEST_F(TokenizeCommand, RulesForTokenizerModels) {
    const std::string file = write("a.txt", " a").string();
    EXPECT_EQ(owq({"tokenize", sample("sample-llama"), "--text", file}).out, owq({"tokenize", sample("sample-llama"), "--text", file, "--rules", "slow"}).out);
    for (const char* rules : {"fast", "transformers5"})  // the text's own space is the leading one
        EXPECT_EQ(owq({"tokenize", sample("sample-llama"), "--text", file, "--rules", rules}).out, "1\t<s>\n261\t\xe2\x96\x81" "a\n");
    const Outcome outcome = owq({"tokenize", sample("sample-opt"), "--text", file, "--rules", "fast"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.error, HasSubstr("no tokenizer.model"));
    EXPECT_EQ(owq({"tokenize", sample("sample-llama"), "--text", file, "--rules", "odd"}).code, 2);
}

TEST_F(TokenizeCommand, IdsInSeveralSpellings) {
    for (const char* ids : {"[1, 261]", "[[1, 261]]", "{\"ids\": [[1, 261]]}", "1 261", "1, 261\n"}) {
        const Outcome outcome = owq({"tokenize", sample("sample-llama"), "--decode", write("ids", ids).string()});
        EXPECT_EQ(outcome.code, 0) << ids << outcome.error;
        EXPECT_EQ(outcome.out, "<s>a\n") << ids;
    }
    for (const char* ids : {"[1, \"a\"]", "[[1], 2]", "1 x", "[-1]", "[99999]", "{}"})
        EXPECT_EQ(owq({"tokenize", sample("sample-llama"), "--decode", write("ids", ids).string()}).code, 1) << ids;
}

TEST_F(TokenizeCommand, FailuresAreOneAndSayWhere) {
    const std::string json = (folder / "out.json").string();
    const Outcome missing = owq({"tokenize", (folder / "none").string(), "--text", "a", "--json", json});
    EXPECT_EQ(missing.code, 1);
    EXPECT_THAT(missing.error, HasSubstr("none"));
    const Outcome text = owq({"tokenize", sample("sample-opt"), "--text", write("bad.txt", "ab\xff").string(), "--json", json});
    EXPECT_EQ(text.code, 1);
    EXPECT_THAT(text.error, testing::AllOf(HasSubstr("bad.txt"), HasSubstr("byte 2")));
    const Outcome line = owq({"tokenize", sample("sample-opt"), "--jsonl", write("bad.jsonl", "{\"text\": \"a\"}\n{").string()});
    EXPECT_EQ(line.code, 1);
    EXPECT_THAT(line.error, HasSubstr("line 2"));
    EXPECT_FALSE(std::filesystem::exists(json));
}

}  // namespace
}  // namespace owq
