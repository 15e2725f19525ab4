// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/judge.h"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/model/model_source.h"
#include "core/pack/task_file.h"
#include "core/text/documents.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class JudgeJob : public ::testing::Test {
protected:
    JudgeJob() {
        std::ofstream(folder / "prompts.txt") << "It was a dark\n\nThe old man\nOnce upon a\n";
        o.a = fs::path(OWQ_SAMPLE) / "sample-llama";
        o.b = fs::path(OWQ_TEST_DATA) / "reference/llama/owq3.05.pth";
        o.bFolder = o.a;
        o.prompts = folder / "prompts.txt";
        o.out = folder / "out";
        o.maxTokens = 8;
    }
    JudgeResult run(std::stop_token stop = {}) { return judge(o, progress, stop); }
    std::string refusal(const std::function<void()>& what) {
        try {
            what();
        } catch (const Error& e) {
            return e.what();
        }
        return "no error";
    }
    std::string tallyRefusal(const std::string& verdicts) {
        std::ofstream(folder / "verdicts.jsonl") << verdicts;
        return refusal([&] { tallyVerdicts(o.out, folder / "verdicts.jsonl"); });
    }
    TemporaryFolder folder;
    Progress progress;
    JudgeOptions o;
};

TEST_F(JudgeJob, ShowsBothAnswersInBothOrders) {
    const JudgeResult r = run();
    EXPECT_EQ(r.prompts, 3);
    std::vector<Json> answers, comparisons;
    eachJsonLine(r.answers, [&](const Json& line, const std::string&) { return answers.push_back(line), true; });
    eachJsonLine(r.comparisons, [&](const Json& line, const std::string&) { return comparisons.push_back(line), true; });
    ASSERT_EQ(answers.size(), 3u);
    ASSERT_EQ(comparisons.size(), 6u);
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(comparisons[2 * i].at("first"), answers[i].at("a"));
        EXPECT_EQ(comparisons[2 * i].at("second"), answers[i].at("b"));
        EXPECT_EQ(comparisons[2 * i + 1].at("first"), answers[i].at("b"));
        EXPECT_FALSE(answers[i].at("a").get<std::string>().empty());
        EXPECT_FALSE(comparisons[2 * i].contains("a"));  // blind
    }
    EXPECT_NE(answers[0].at("a"), answers[1].at("a"));
}

TEST_F(JudgeJob, GoesOnWhereItWasStopped) {
    const JudgeResult whole = run();
    const std::string expected = readText(whole.answers);
    // Killed in the middle of the second model's second answer.
    const fs::path second = o.out / "answers-b.jsonl";
    const std::string lines = readText(second);
    writeText(second, lines.substr(0, lines.find('\n') + 20));
    fs::remove(whole.answers);
    fs::remove(whole.comparisons);
    EXPECT_THAT(tallyRefusal(""), HasSubstr("not answered"));
    const JudgeResult again = run();
    EXPECT_EQ(again.answeredBefore, 4);
    EXPECT_EQ(readText(again.answers), expected);
    EXPECT_EQ(run().answeredBefore, 6);
    o.seed = 1;
    EXPECT_THAT(refusal([&] { run(); }), HasSubstr("another seed"));
}

TEST_F(JudgeJob, AnswersWithTheWeakColumnsOfATask) {
    const JudgeResult own = run();
    const auto answersOf = [](const JudgeResult& r, const char* who) {
        std::vector<std::string> answers;
        eachJsonLine(r.answers, [&](const Json& line, const std::string&) { return answers.push_back(line.at(who)), true; });
        return answers;
    };
    const auto model = ModelSource::open(o.b, o.bFolder);
    Task task;
    for (const LinearInfo& info : model->info().linears) {
        TaskLinear linear = weakColumnsOf(model->linear(info.name));
        if (linear.columns.empty()) continue;
        for (float& weight : linear.weight) weight = -weight;
        task.linears.emplace(info.name, std::move(linear));
    }
    writeTask(folder / "task.safetensors", task);
    o.bTask = folder / "task.safetensors";
    EXPECT_THAT(refusal([&] { run(); }), ::testing::AllOf(HasSubstr("another task of model B"), HasSubstr("out"))) << "never mixed with those without it";
    o.out = folder / "tuned";
    const JudgeResult tuned = run();
    EXPECT_EQ(answersOf(tuned, "a"), answersOf(own, "a"));
    EXPECT_NE(answersOf(tuned, "b"), answersOf(own, "b"));
    EXPECT_EQ(run().answeredBefore, 6);
    std::ofstream(folder / "verdicts.jsonl") << "";
    EXPECT_THAT(tallyVerdicts(o.out, folder / "verdicts.jsonl").b, HasSubstr(" with " + o.bTask.string()));
    task.linears.begin()->second.weight[0] = 0.5f;
    writeTask(o.bTask, task);
    EXPECT_THAT(refusal([&] { run(); }), HasSubstr("another task of model B"));
    o.out = folder / "foreign";
    task.linears.begin()->second.frozen = std::string(64, '0');
    writeTask(o.bTask, task);
    EXPECT_THAT(refusal([&] { run(); }), HasSubstr("tuned on other packed weights"));
    EXPECT_FALSE(fs::exists(o.out));
}

TEST_F(JudgeJob, AModelWrittenAnewInItsPlaceIsAnotherOne) {
    fs::copy_file(o.b, folder / "model.pth");
    o.b = folder / "model.pth";
    run();
    EXPECT_EQ(run().answeredBefore, 6);
    fs::copy_file(fs::path(OWQ_TEST_DATA) / "reference/llama/owq3.05.pth", o.b, fs::copy_options::overwrite_existing);
    fs::last_write_time(o.b, fs::file_time_type::clock::now() + std::chrono::seconds(1));
    EXPECT_THAT(refusal([&] { run(); }), ::testing::AllOf(HasSubstr("model B"), HasSubstr("files were changed")));
}

TEST_F(JudgeJob, RefusesWhatCannotBe) {
    o.frame = "no hole";
    EXPECT_THAT(refusal([&] { run(); }), HasSubstr("{prompt}"));
    o.frame = "{prompt}";
    std::ofstream(folder / "p.jsonl") << R"({"id": 1, "prompt": "a"})" << "\n" << R"({"id": 1, "prompt": "b"})" << "\n";
    o.prompts = folder / "p.jsonl";
    EXPECT_THAT(refusal([&] { run(); }), ::testing::AllOf(HasSubstr("two prompts"), HasSubstr("line 2")));
    std::ofstream(folder / "p.jsonl") << R"({"question_id": 7, "text": " "})";
    EXPECT_THAT(refusal([&] { run(); }), HasSubstr("empty"));
    std::ofstream(folder / "p.jsonl") << "";
    EXPECT_THAT(refusal([&] { run(); }), HasSubstr("no prompts"));
    EXPECT_FALSE(fs::exists(o.out));
    o.prompts = folder / "prompts.txt";
    fs::create_directories(o.out);
    std::ofstream(o.out / "mine.txt") << "x";
    EXPECT_THAT(refusal([&] { run(); }), HasSubstr("other files"));
    std::stop_source stop;
    stop.request_stop();
    o.out = folder / "new";
    EXPECT_THROW(run(stop.get_token()), Cancelled);
}

TEST_F(JudgeJob, CountsVerdictsOverComparisonsAndPrompts) {
    run();
    std::ofstream(folder / "verdicts.jsonl") << R"({"comparison": "1/1", "verdict": "first"}
{"comparison": "1/2", "verdict": "second"}
{"comparison": "2/1", "scores": [7, 8.5]}
{"comparison": "2/2", "scores": [3, 2]}
{"comparison": "3/1", "verdict": "tie"}
)";
    const JudgeTally t = tallyVerdicts(o.out, folder / "verdicts.jsonl");
    EXPECT_EQ(t.verdicts, 5);
    EXPECT_EQ(t.missing, 1);
    EXPECT_EQ(t.wins, 2);    // 1/1, 1/2
    EXPECT_EQ(t.losses, 2);  // 2/1, 2/2
    EXPECT_EQ(t.ties, 1);
    EXPECT_EQ(t.promptWins, 1);
    EXPECT_EQ(t.promptLosses, 1);
    EXPECT_EQ(t.promptTies, 0);
    EXPECT_EQ(t.firstPreferred, 2);
    EXPECT_NEAR(t.signTest, 1, 1e-12);
}

TEST_F(JudgeJob, VerdictsThatDoNotFitAreRefusedWithTheirLine) {
    run();
    const std::string good = R"({"comparison": "1/1", "verdict": "first"})" "\n";
    EXPECT_EQ(tallyRefusal(good), "no error");
    EXPECT_THAT(tallyRefusal(good + good), ::testing::AllOf(HasSubstr("line 2"), HasSubstr("twice")));
    EXPECT_THAT(tallyRefusal(R"({"comparison": "9/1", "verdict": "first"})"), HasSubstr("no comparison"));
    EXPECT_THAT(tallyRefusal(R"({"comparison": "1/1", "verdict": "A"})"), HasSubstr("first, second and tie"));
    EXPECT_THAT(tallyRefusal(R"({"comparison": "1/1", "scores": [1]})"), HasSubstr("two numbers"));
}

TEST_F(JudgeJob, APromptWithOneComparisonCountsByIt) {
    fs::create_directories(o.out);
    writeText(o.out / "judge.json", R"({"a": "x", "b": "y"})");
    writeText(o.out / "comparisons.jsonl", R"({"comparison": "1/1"}
{"comparison": "2/2"}
{"comparison": "3/1"}
)");
    std::ofstream(folder / "verdicts.jsonl") << R"({"comparison": "1/1", "verdict": "first"}
{"comparison": "2/2", "verdict": "second"}
)";
    const JudgeTally t = tallyVerdicts(o.out, folder / "verdicts.jsonl");
    EXPECT_EQ(t.promptWins, 2);
    EXPECT_EQ(t.missing, 1);
    EXPECT_NEAR(t.signTest, 0.5, 1e-12);
}

}  // namespace
}  // namespace owq
