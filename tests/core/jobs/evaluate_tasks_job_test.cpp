// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/evaluate_tasks.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>

#include "core/base/error.h"
#include "core/jobs/generate.h"
#include "core/text/documents.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kInvented = fs::path(OWQ_TEST_DATA) / "tasks";

EvaluateTasksOptions about(const fs::path& file) {
    EvaluateTasksOptions o;
    o.model = fs::path(OWQ_SAMPLE) / "sample-llama";
    o.tasks = {file};
    return o;
}

EvaluateTasksResult asked(const EvaluateTasksOptions& options) {
    Progress progress;
    return evaluateTasks(options, progress, {});
}

TEST(EvaluateTasksJob, CountsWhatTheScoresSay) {
    TemporaryFolder folder;
    EvaluateTasksOptions o = about(fs::path(OWQ_SAMPLE) / "tasks" / "choice.jsonl");
    o.shots.shots = 2;
    o.answers = folder / "answers.jsonl";
    const EvaluateTasksResult r = asked(o);
    ASSERT_EQ(r.tasks.size(), 1u);
    const TaskResult& t = r.tasks[0];
    EXPECT_EQ(t.questions, 12);
    EXPECT_EQ(t.shots, 2);
    // By hand from the scores of each question.
    int right = 0, rightNormalized = 0, lines = 0;
    eachJsonLine(o.answers, [&](const Json& line, const std::string&) {
        const std::vector<double> scores = line.at("log_likelihood").get<std::vector<double>>();
        const std::vector<std::string> choices = line.at("choices").get<std::vector<std::string>>();
        size_t best = 0, bestNormalized = 0;
        for (size_t i = 1; i < scores.size(); ++i) {
            if (scores[i] > scores[best]) best = i;
            const auto per = [&](size_t c) { return scores[c] / double(choices[c].size() - 1); };
            if (per(i) > per(bestNormalized)) bestNormalized = i;
        }
        EXPECT_EQ(line.at("chosen"), best);
        EXPECT_EQ(line.at("right").get<bool>(), line.at("answer") == best);
        right += line.at("answer") == best;
        rightNormalized += line.at("answer") == bestNormalized;
        ++lines;
        return true;
    });
    EXPECT_EQ(lines, 12);
    const double p = right / 12.0;
    EXPECT_NEAR(t.accuracy.mean, p, 1e-12);
    EXPECT_NEAR(*t.accuracy.standardError, std::sqrt(p * (1 - p) / 11), 1e-12);
    EXPECT_NEAR(t.normalized->mean, rightNormalized / 12.0, 1e-12);
    EXPECT_GT(p, 0.5);  // the sample model has read such sentences
    EXPECT_EQ(toJson(r)["tasks"][0]["accuracy"]["mean"], t.accuracy.mean);
}

TEST(EvaluateTasksJob, ACompletionIsRightWhenTheModelWouldWriteIt) {
    TemporaryFolder folder;
    GenerateOptions g;
    g.model = about({}).model;
    g.prompt = "It was a dark and";
    g.maxTokens = 6;
    g.arithmetic = Arithmetic::dense;
    Progress progress;
    std::string text = generate(g, progress, {}).text;
    text = text.substr(0, text.find(' ', 1));  // its next word
    std::ofstream(folder / "own.jsonl") << Json{{"prompt", g.prompt}, {"completion", text}}.dump() << "\n"
                                        << Json{{"prompt", g.prompt}, {"completion", "xylophone"}}.dump() << "\n";
    const TaskResult t = asked(about(folder / "own.jsonl")).tasks[0];
    EXPECT_EQ(t.accuracy.mean, 0.5);
    EXPECT_GT(*t.perplexity, 1);
    EXPECT_FALSE(t.normalized);
}

TEST(EvaluateTasksJob, TakesEveryPublishedForm) {
    EvaluateTasksOptions o = about(kInvented / "arc.jsonl");
    for (const char* file : {"hellaswag.jsonl", "lambada.jsonl", "winogrande.jsonl", "mmlu.jsonl", "old_maps_test.csv"}) o.tasks.push_back(kInvented / file);
    o.shots.shots = 0;
    const EvaluateTasksResult r = asked(o);
    ASSERT_EQ(r.tasks.size(), 7u);
    double sum = 0;
    for (const TaskResult& t : r.tasks) sum += t.accuracy.mean;
    EXPECT_NEAR(r.meanAccuracy, sum / 7, 1e-12);
}

TEST(EvaluateTasksJob, FindsExamplesOfASubjectInAFolder) {
    TemporaryFolder folder;
    EvaluateTasksOptions o = about(kInvented / "old_maps_test.csv");
    o.shotsFrom = kInvented;
    o.shots.shots = 2;
    o.answers = folder / "answers.jsonl";
    asked(o);
    eachJsonLine(o.answers, [&](const Json& line, const std::string&) {
        EXPECT_THAT(line.at("prompt").get<std::string>(), HasSubstr("about old maps.\n\nWhat is a legend?\nA. a list of signs"));
        return true;
    });
    o.shots.shots = -1;  // five, of which there are two
    EXPECT_THROW(asked(o), Error);
    o.tasks = {kInvented / "mmlu.jsonl"};
    o.shots.shots = 1;
    try {
        asked(o);
        FAIL() << "there are no examples about wind and water";
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr("wind_and_water"));
    }
}

TEST(EvaluateTasksJob, PackedModelsAnswerAsTheirDenseForm) {
    EvaluateTasksOptions o = about(fs::path(OWQ_SAMPLE) / "tasks" / "choice.jsonl");
    TemporaryFolder folder;
    o.modelFolder = o.model;
    o.model = fs::path(OWQ_TEST_DATA) / "reference/llama/owq3.05.pth";
    std::vector<std::vector<double>> scores[2];
    for (const Arithmetic arithmetic : {Arithmetic::dense, Arithmetic::exact}) {
        o.arithmetic = arithmetic;
        o.answers = folder / "answers.jsonl";
        asked(o);
        eachJsonLine(o.answers, [&](const Json& line, const std::string&) {
            scores[arithmetic == Arithmetic::exact].push_back(line.at("log_likelihood").get<std::vector<double>>());
            return true;
        });
    }
    for (size_t q = 0; q < scores[0].size(); ++q)
        for (size_t i = 0; i < scores[0][q].size(); ++i) EXPECT_NEAR(scores[0][q][i], scores[1][q][i], 1e-3);
}

TEST(EvaluateTasksJob, StopsWhenAsked) {
    std::stop_source stop;
    stop.request_stop();
    Progress progress;
    EXPECT_THROW(evaluateTasks(about(kInvented / "lambada.jsonl"), progress, stop.get_token()), Cancelled);
    EXPECT_THROW(asked(about({})), Error);
}

}  // namespace
}  // namespace owq
