// SPDX-License-Identifier: Apache-2.0
// Scores of the invented questions, counted again: prompts and lengths are written out here, and each answer goes through the model by
// itself, so that a wrong prompt, cut or normalization shows.
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "core/jobs/evaluate_tasks.h"
#include "core/text/documents.h"
#include "core/text/tokenizer.h"
#include "tests/core/jobs/temporary_folder.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using namespace owq::testing;

struct Question {
    std::vector<std::string> prompts;  ///< one for all choices, or one for each
    std::vector<std::string> choices;  ///< with what stands between prompt and choice
    size_t answer = 0;
    std::vector<double> lengths{};     ///< characters that a score by length is divided by
    const std::string& prompt(size_t choice) const { return prompts.size() == 1 ? prompts[0] : prompts[choice]; }
};

struct Score {
    double logLikelihood = 0;
    bool greedy = true;
};

class TaskScores : public ::testing::Test {
protected:
    Score scoreOf(const std::string& prompt, const std::string& choice) const {
        const EncodeOptions plain{.addSpecial = false};
        const std::vector<int32_t> ids = tokenizer->encode(prompt + choice, plain);
        const int64_t inputs = int64_t(ids.size()) - 1, first = int64_t(tokenizer->encode(prompt, plain).size()) - 1;
        const at::Tensor logits = model.forward(idTensor(ids.data(), 1, inputs)).select(0, 0).contiguous();
        Score score;
        for (int64_t t = first; t < inputs; ++t) {
            const float* const row = logits.const_data_ptr<float>() + t * logits.size(1);
            double sum = 0;
            for (int64_t v = 0; v < logits.size(1); ++v) sum += std::exp(double(row[v]));
            const int32_t next = ids[size_t(t) + 1];
            score.logLikelihood += double(row[next]) - std::log(sum);
            score.greedy &= std::max_element(row, row + logits.size(1)) - row == next;
        }
        return score;
    }

    /// `questions` are all of the file, of one task.
    void expectScores(const fs::path& file, const std::vector<Question>& questions, const fs::path& shotsFrom = {}, const std::string& task = {}) {
        EvaluateTasksOptions o;
        o.model = sampleModel("llama");
        o.tasks = {file};
        o.shots.shots = shotsFrom.empty() ? 0 : 2;
        o.shotsFrom = shotsFrom;
        o.answers = folder / "answers.jsonl";
        Progress progress;
        const EvaluateTasksResult result = evaluateTasks(o, progress, {});
        const auto found = std::find_if(result.tasks.begin(), result.tasks.end(), [&](const TaskResult& t) { return task.empty() || t.name == task; });
        ASSERT_NE(found, result.tasks.end());
        std::map<std::string, std::vector<double>> written;  // by the prompt that the right answer stands behind
        eachJsonLine(o.answers, [&](const Json& line, const std::string&) {
            written[line.at("prompt")] = line.at("log_likelihood").get<std::vector<double>>();
            return true;
        });
        double right = 0, rightByLength = 0, logSum = 0;
        for (const Question& q : questions) {
            std::vector<double> scores, byLength;
            bool greedy = false;
            for (size_t i = 0; i < q.choices.size(); ++i) {
                const Score score = scoreOf(q.prompt(i), q.choices[i]);
                scores.push_back(score.logLikelihood);
                if (!q.lengths.empty()) byLength.push_back(score.logLikelihood / q.lengths[i]);
                greedy = score.greedy;
            }
            const auto best = [](const std::vector<double>& v) { return size_t(std::max_element(v.begin(), v.end()) - v.begin()); };
            right += q.choices.size() == 1 ? greedy : best(scores) == q.answer;
            if (!byLength.empty()) rightByLength += best(byLength) == q.answer;
            logSum += scores[0];
            ASSERT_TRUE(written.contains(q.prompt(q.answer))) << file << " never asked: " << q.prompt(q.answer);
            const std::vector<double>& got = written.at(q.prompt(q.answer));
            ASSERT_EQ(got.size(), scores.size());
            // fp32 sums over another number of tokens at once.
            for (size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(got[i], scores[i], 2e-3) << file << ": " << q.prompt(i) << "|" << q.choices[i];
        }
        const double n = double(questions.size());
        EXPECT_EQ(found->questions, int64_t(questions.size()));
        EXPECT_NEAR(found->accuracy.mean, right / n, 1e-12) << file;
        ASSERT_EQ(found->normalized.has_value(), !questions[0].lengths.empty()) << file;
        EXPECT_NEAR(found->normalized.value_or(WindowMean{}).mean, rightByLength / n, 1e-12) << file;
        ASSERT_EQ(found->perplexity.has_value(), questions[0].choices.size() == 1) << file;
        EXPECT_NEAR(found->perplexity.value_or(std::exp(-logSum / n)) / std::exp(-logSum / n), 1, 2e-3) << file;
    }

    const std::shared_ptr<const ModelSource> source = ModelSource::open(sampleModel("llama"));
    const LanguageModel model{source};
    const std::shared_ptr<const Tokenizer> tokenizer = openTokenizer(source->tokenizerFolder());
    const fs::path invented = fs::path(OWQ_TEST_DATA) / "tasks";
    TemporaryFolder folder;
};

TEST_F(TaskScores, Arc) {
    const std::vector<Question> questions{
        {{"Question: Which of these melts in the sun?\nAnswer:"}, {" a stone", " a snowman", " a nail", " a shadow"}, 1, {7, 9, 6, 8}},
        {{"Question: What does a lamp give?\nAnswer:"}, {" light", " milk", " advice"}, 0, {5, 4, 6}},
        {{"Question: A river carries\nAnswer:"}, {" dust", " chairs", " water to the sea", " thunder"}, 2, {4, 6, 16, 7}}};
    expectScores(invented / "arc.jsonl", questions);
    expectScores(invented / "arc_hf.jsonl", {questions[0]});
}

TEST_F(TaskScores, HellaSwag) {
    expectScores(invented / "hellaswag.jsonl",
                 {{{"Making tea: A woman fills a kettle. The woman"},
                   {"  puts it on the stove.", " sings to the moon.", " eats the kettle.", " is a kettle."}, 0, {22, 18, 16, 12}},
                  {{"How to tie a knot: How to tie a knot. Take a rope Hold both ends."},
                   {" Throw it away.", " Cross the ends and pull.", " Boil it.", " Ask it."}, 1, {14, 24, 8, 7}}});
}

TEST_F(TaskScores, Mmlu) {
    const std::string maps = "The following are multiple choice questions (with answers) about old maps.\n\n";
    const std::string legend = "What is a legend?\nA. a list of signs\nB. a mountain\nC. a ship\nD. a song\nAnswer:";
    const std::string scale = "What is a scale?\nA. a fish\nB. a proportion\nC. a stair\nD. a note\nAnswer:";
    const std::vector<std::string> letters{" A", " B", " C", " D"};
    const auto table = [&](const std::string& before) -> std::vector<Question> {
        return {{{before + "What did the mapmaker draw, \"for a joke\"?\nA. an island\nB. a road, twice\nC. his cat\nD. nothing\nAnswer:"}, letters, 2},
                {{before + "Which way is north on this map?\nA. up\nB. down\nC. left\nD. right\nAnswer:"}, letters, 0},
                {{before + "A question\nof two lines?\nA. yes\nB. no\nC. both\nD. neither\nAnswer:"}, letters, 3}};
    };
    expectScores(invented / "old_maps_test.csv", table(maps));
    expectScores(invented / "old_maps_test.csv", table(maps + legend + " A\n\n" + scale + " B\n\n"), invented);
    expectScores(invented / "mmlu.jsonl", {{{maps + legend}, letters, 0}, {{maps + scale}, letters, 1}}, {}, "old_maps");
    expectScores(invented / "mmlu.jsonl",
                 {{{"The following are multiple choice questions (with answers) about wind and water.\n\n"
                    "What turns the mill?\nA. the wind\nB. the miller's aunt\nC. a law\nD. a rhyme\nAnswer:"}, letters, 0}}, {}, "wind_and_water");
}

TEST_F(TaskScores, Lambada) {
    expectScores(invented / "lambada.jsonl",
                 {{{"She had lost her ring by the well, and all night she thought of nothing but the"}, {" ring"}},
                  {{"The boy asked the captain for a boat, and the captain gave him the"}, {" boat"}}});
}

TEST_F(TaskScores, WinoGrande) {
    const std::string large = " was too large.", helped = " had helped her.";
    expectScores(invented / "winogrande.jsonl",
                 {{{"The cup did not fit into the box because the cup", "The cup did not fit into the box because the box"}, {large, large}, 0},
                  {{"Anna thanked Maria because Anna", "Anna thanked Maria because Maria"}, {helped, helped}, 1}});
}

TEST_F(TaskScores, Completion) {
    expectScores(fs::path(OWQ_SAMPLE) / "tasks/completion.jsonl",
                 {{{"one, two, three, one, two, three, one, two,"}, {" three"}},
                  {{"The king and the"}, {" queen"}},
                  {{"He looked at her, and she looked at"}, {" him"}},
                  {{"Once upon a"}, {" time"}},
                  {{"I do not know what you are talking"}, {" about"}},
                  {{"He could not believe his own"}, {" eyes"}}});
}

}  // namespace
}  // namespace owq
