// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/task.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/base/error.h"
#include "core/base/json.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

EvaluationTask published(const char* file) {
    std::vector<EvaluationTask> tasks = readTasks(fs::path(OWQ_TEST_DATA) / "tasks" / file);
    EXPECT_EQ(tasks.size(), 1u);
    return tasks.at(0);
}

TEST(EvaluationTask, ReadsArcAsPublishedAndAsHuggingFaceHasIt) {
    const EvaluationTask task = published("arc.jsonl");
    EXPECT_EQ(task.format, TaskFormat::arc);
    EXPECT_EQ(task.name, "arc");
    ASSERT_EQ(task.items.size(), 3u);
    const TaskItem& first = task.items[0];
    EXPECT_EQ(first.context, "Question: Which of these melts in the sun?\nAnswer:");
    EXPECT_THAT(first.choices, ElementsAre(" a stone", " a snowman", " a nail", " a shadow"));
    EXPECT_THAT(first.lengths, ElementsAre(7, 9, 6, 8));
    EXPECT_EQ(first.answer, 1);
    EXPECT_EQ(first.example, "Question: Which of these melts in the sun?\nAnswer: a snowman");
    EXPECT_EQ(task.items[1].answer, 0);  // numbered, not lettered
    EXPECT_EQ(published("arc_hf.jsonl").items[0].example, first.example);
}

TEST(EvaluationTask, CleansHellaSwagAsTheHarnessDoes) {
    const EvaluationTask task = published("hellaswag.jsonl");
    EXPECT_EQ(task.format, TaskFormat::hellaswag);
    EXPECT_EQ(task.items[0].context, "Making tea: A woman fills a kettle. The woman");
    EXPECT_EQ(task.items[0].choices[0], "  puts it on the stove.");  // the blank behind the mark stays, as there
    EXPECT_EQ(task.items[0].lengths[0], 22);
    EXPECT_EQ(task.items[1].context, "How to tie a knot: How to tie a knot. Take a rope Hold both ends.");
    EXPECT_EQ(task.items[1].answer, 1);
}

// By Python: re.sub(r"\[.*?\]", "", text), where a point is anything but a new line, and str.replace.
TEST(EvaluationTask, TakesOutMarksAsTheHarnessDoes) {
    TemporaryFolder folder;
    for (const auto& [marked, cleaned] : std::vector<std::pair<std::string, std::string>>{{"a [b] c[d]e", "a ce"},
                                                                                          {"[[a]] b", "] b"},
                                                                                          {"a [b", "a [b"},
                                                                                          {"a [b\n[c] d]", "a [b\n d]"},
                                                                                          {"a [b [title] [c", "a [b. [c"},
                                                                                          {"a [x]     b", "a   b"}}) {
        std::ofstream(folder / "h.jsonl") << Json{{"activity_label", "A"}, {"ctx_a", "x"}, {"ctx_b", ""}, {"endings", {marked, "b"}}, {"label", 0}}.dump();
        EXPECT_EQ(readTasks(folder / "h.jsonl")[0].items[0].choices[0], " " + cleaned) << marked;
    }
}

TEST(EvaluationTask, MillionsOfBracketsTakeNoLongerThanOtherText) {
    TemporaryFolder folder;
    const std::string many(4u << 20, '['), blanks(4u << 20, ' ');
    std::string titles;
    while (titles.size() < (4u << 20)) titles += "a [title]";
    std::ofstream(folder / "h.jsonl") << Json{{"activity_label", "A"}, {"ctx_a", many}, {"ctx_b", ""}, {"endings", {"b" + blanks + "b", titles}}, {"label", 0}}.dump();
    const TaskItem item = readTasks(folder / "h.jsonl")[0].items[0];
    EXPECT_EQ(item.context, "A: " + many);
    EXPECT_EQ(item.lengths[0], int64_t(blanks.size() / 2 + 2));
    EXPECT_EQ(item.lengths[1], int64_t(titles.size() / 9 * 3));
    std::ofstream(folder / "h.jsonl") << std::string(17u << 20, '[');
    EXPECT_THROW(readTasks(folder / "h.jsonl"), Error);
}

TEST(EvaluationTask, ReadingStopsWhenAsked) {
    std::stop_source stop;
    stop.request_stop();
    for (const char* file : {"arc.jsonl", "old_maps_test.csv"})
        EXPECT_THROW(readTasks(fs::path(OWQ_TEST_DATA) / "tasks" / file, std::nullopt, stop.get_token()), Cancelled);
    const EvaluationTask task = published("arc.jsonl");
    EXPECT_THROW(taskPrompts(task, nullptr, {}, stop.get_token()), Cancelled);
}

TEST(EvaluationTask, ReadsMmluFromTablesAndLines) {
    const EvaluationTask table = published("old_maps_test.csv");
    EXPECT_EQ(table.name, "old_maps");
    EXPECT_EQ(table.description, "The following are multiple choice questions (with answers) about old maps.");
    ASSERT_EQ(table.items.size(), 3u);
    EXPECT_EQ(table.items[0].context,
              "What did the mapmaker draw, \"for a joke\"?\nA. an island\nB. a road, twice\nC. his cat\nD. nothing\nAnswer:");
    EXPECT_THAT(table.items[0].choices, ElementsAre(" A", " B", " C", " D"));
    EXPECT_EQ(table.items[0].answer, 2);
    EXPECT_THAT(table.items[2].context, StartsWith("A question\nof two lines?\nA. yes\n"));
    EXPECT_THAT(table.items[2].where, HasSubstr("line 3"));
    const std::vector<EvaluationTask> lines = readTasks(OWQ_TEST_DATA "/tasks/mmlu.jsonl");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].name, "old_maps");
    EXPECT_EQ(lines[0].items[1].example, published("old_maps_dev.csv").items[1].example);
    EXPECT_EQ(lines[1].description, "The following are multiple choice questions (with answers) about wind and water.");
}

TEST(EvaluationTask, ReadsCompletions) {
    const EvaluationTask task = published("lambada.jsonl");
    EXPECT_EQ(task.format, TaskFormat::lambada);
    EXPECT_FALSE(task.multipleChoice());
    EXPECT_THAT(task.items[0].context, ::testing::EndsWith("nothing but the"));
    EXPECT_THAT(task.items[0].choices, ElementsAre(" ring"));
    const std::vector<EvaluationTask> own = readTasks(OWQ_SAMPLE "/tasks/completion.jsonl");
    EXPECT_EQ(own[0].format, TaskFormat::completion);
    EXPECT_EQ(own[0].items[3].example, "Once upon a time");
}

TEST(EvaluationTask, ScoresWhatFollowsTheGapInWinoGrande) {
    const EvaluationTask task = published("winogrande.jsonl");
    EXPECT_EQ(task.format, TaskFormat::winogrande);
    EXPECT_THAT(task.items[0].contexts,
                ElementsAre("The cup did not fit into the box because the cup", "The cup did not fit into the box because the box"));
    EXPECT_THAT(task.items[0].choices, ElementsAre(" was too large.", " was too large."));
    EXPECT_EQ(task.items[0].answer, 0);
    EXPECT_EQ(task.items[1].example, "Anna thanked Maria because Maria had helped her.");
    EXPECT_FALSE(task.normalized());
}

// The harness seeds Python's random with 42, shuffles the questions and draws from the same generator; the order is CPython 3.11's.
TEST(TaskPrompts, ShuffleAndDrawAsTheHarnessDoes) {
    EvaluationTask task{"numbers", TaskFormat::choice, {}, {}}, pool = task;
    for (int i = 0; i < 12; ++i) {
        TaskItem item;
        item.context = "q" + std::to_string(i);
        item.choices = {" yes", " no"};
        item.lengths = {3, 2};
        item.example = item.context + " yes";
        task.items.push_back(item);
        item.example = "p" + std::to_string(i) + " yes";
        pool.items.push_back(item);
    }
    const std::vector<TaskPrompt> prompts = taskPrompts(task, &pool, {.shots = 3, .limit = 2});
    ASSERT_EQ(prompts.size(), 2u);
    EXPECT_EQ(prompts[0].context(0), "p0 yes\n\np11 yes\n\np1 yes\n\nq7");
    EXPECT_EQ(prompts[1].context(1), "p3 yes\n\np11 yes\n\np8 yes\n\nq5");
    EXPECT_EQ(taskPrompts(task, nullptr, {}).size(), 12u);
    EXPECT_EQ(taskPrompts(task, nullptr, {})[0].context(0), "q7");
    for (const TaskPrompt& prompt : taskPrompts(task, nullptr, {.shots = 11}))
        EXPECT_EQ(prompt.before.find(prompt.item->context + " yes\n"), std::string::npos);  // never the question itself
    EXPECT_THROW(taskPrompts(task, nullptr, {.shots = 12}), Error);
    EXPECT_THROW(taskPrompts(task, &pool, {.shots = 13}), Error);
}

TEST(TaskPrompts, MmluTakesTheFirstExamplesInOrder) {
    const EvaluationTask task = published("old_maps_test.csv"), dev = published("old_maps_dev.csv");
    const std::vector<TaskPrompt> prompts = taskPrompts(task, &dev, {.shots = 2});
    for (const TaskPrompt& prompt : prompts)
        EXPECT_EQ(prompt.before, task.description + "\n\n" + dev.items[0].example + "\n\n" + dev.items[1].example + "\n\n");
}

class TaskErrors : public ::testing::Test {
protected:
    std::string refusal(const std::string& name, const std::string& text, std::optional<TaskFormat> format = std::nullopt) {
        std::ofstream(folder / name) << text;
        try {
            readTasks(folder / name, format);
        } catch (const Error& e) {
            return e.what();
        }
        return "read";
    }
    TemporaryFolder folder;
};

TEST_F(TaskErrors, NameTheLineAndWhatIsWrong) {
    const std::string good = R"({"prompt": "a", "choices": ["b", "c"], "answer": 1})" "\n";
    EXPECT_EQ(refusal("a.jsonl", good), "read");
    EXPECT_THAT(refusal("a.jsonl", good + "\n" + R"({"prompt": "a", "choices": ["b", "c"], "answer": 2})"), ::testing::AllOf(HasSubstr("line 3"), HasSubstr("answer 2 of 2")));
    EXPECT_THAT(refusal("a.jsonl", good + R"({"prompt": "a", "choices": ["b"], "answer": 0})"), HasSubstr("two at least"));
    EXPECT_THAT(refusal("a.jsonl", good + R"({"prompt": "a", "choices": ["b", 3], "answer": 0})"), HasSubstr("no text"));
    EXPECT_THAT(refusal("a.jsonl", good + R"({"choices": ["b", "c"], "answer": 0})"), HasSubstr("prompt"));
    EXPECT_THAT(refusal("a.jsonl", good + "[1]"), HasSubstr("no object"));
    EXPECT_THAT(refusal("a.jsonl", good + "{"), HasSubstr("line 2"));
    EXPECT_THAT(refusal("a.jsonl", R"({"a": 1})"), HasSubstr("no known task"));
    EXPECT_THAT(refusal("a.jsonl", "\n"), HasSubstr("no questions"));
    EXPECT_THAT(refusal("a.jsonl", R"({"text": "word"})"), HasSubstr("last word"));
    EXPECT_THAT(refusal("a.jsonl", R"({"sentence": "no gap", "option1": "a", "option2": "b", "answer": "1"})"), HasSubstr("no _"));
    EXPECT_THAT(refusal("a.jsonl", R"({"sentence": "a _ b", "option1": "a", "option2": "b", "answer": ""})"), HasSubstr("no number"));
    EXPECT_THAT(refusal("a.jsonl", R"({"question": "q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "F"})"), HasSubstr("none of A to E"));
    EXPECT_THAT(refusal("a.jsonl", good, TaskFormat::arc), HasSubstr("question"));
    EXPECT_THAT(refusal("x_test.csv", "q,1,2,3,4,A\nq,1,2,3,4\n"), ::testing::AllOf(HasSubstr("line 2"), HasSubstr("5 fields")));
    EXPECT_THAT(refusal("x_test.csv", "q,1,2,3,4,E\n"), HasSubstr("none of A to D"));
    EXPECT_THAT(refusal("x_test.csv", "\"q,1,2,3,4,A\n"), HasSubstr("not closed"));
    EXPECT_THAT(refusal("x_test.csv", "q\"q,1,2,3,4,A\n"), HasSubstr("middle of a field"));
    EXPECT_THAT(refusal("x.csv", "q,1,2,3,4,A\n", TaskFormat::arc), HasSubstr("Only MMLU"));
    EXPECT_THAT(refusal("nowhere/x.jsonl", ""), HasSubstr("no such file"));
}

}  // namespace
}  // namespace owq
