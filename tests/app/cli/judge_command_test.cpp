// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/file.h"
#include "tests/app/cli/program.h"

namespace owq {
namespace {

using testing::HasSubstr;

class JudgeCommand : public CliTest {
protected:
    Outcome judged(const std::string& out, const std::vector<std::string>& more) const {
        std::vector<std::string> all{"judge", sample("sample-llama"), sample("sample-llama"), "--prompts", write("prompts.txt", "Who was there?\n").string(),
                                     "--out", (folder / out).string(), "--max-tokens", "3", "--temperature", "0", "--quiet"};
        all.insert(all.end(), more.begin(), more.end());
        return owq(all);
    }
    std::string answerOf(const std::string& out) const { return parseJson(readText(folder / out / "answers.jsonl"), "answers").at("a"); }
};

TEST_F(JudgeCommand, PutsPromptsIntoAFrameOfSeveralLines) {
    ASSERT_EQ(judged("escaped", {"--frame", R"(Question: {prompt}\nAnswer:\t\\n\x)"}).code, 0);
    EXPECT_EQ(readJson(folder / "escaped/judge.json").at("frame"), "Question: {prompt}\nAnswer:\t\\n\\x");
    ASSERT_EQ(judged("lines", {"--frame", R"(Question: {prompt}\nAnswer:)"}).code, 0);
    ASSERT_EQ(judged("written", {"--frame", "Question: {prompt}\nAnswer:"}).code, 0);
    EXPECT_EQ(answerOf("lines"), answerOf("written"));
    ASSERT_EQ(judged("plain", {}).code, 0);
    EXPECT_EQ(readJson(folder / "plain/judge.json").at("frame"), "{prompt}");
}

TEST_F(JudgeCommand, RefusesATaskThatDoesNotFitBeforeAnythingIsWritten) {
    for (const char* option : {"--a-task", "--b-task"}) {
        const Outcome outcome = judged("out", {option, (folder / "none.safetensors").string()});
        EXPECT_EQ(outcome.code, 1);
        EXPECT_THAT(outcome.error, HasSubstr("none.safetensors"));
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

}  // namespace
}  // namespace owq
