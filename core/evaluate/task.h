// SPDX-License-Identifier: Apache-2.0
// Questions with known answers: multiple choice and completion, read from the files that data sets are published as. Prompts, what is
// scored and how are those of lm-evaluation-harness at commit b281b09, the version behind the paper's tables (the first Open LLM
// Leaderboard); resources/help/tasks.md writes them out.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace owq {

/// Which data set's fields and prompt.
enum class TaskFormat {
    arc,         ///< JSON lines: question {stem, choices [{text, label}]} or question, choices {text, label}; answerKey
    hellaswag,   ///< JSON lines: activity_label, ctx_a, ctx_b, endings, label
    mmlu,        ///< CSV without a header: question, A, B, C, D, answer; or JSON lines: question, choices, answer, subject
    lambada,     ///< JSON lines: text, whose last word is asked for
    winogrande,  ///< JSON lines: sentence with a _, option1, option2, answer
    choice,      ///< JSON lines: prompt, choices, answer (index from 0); a person's own questions
    completion   ///< JSON lines: prompt, completion; right when it is what the model would write
};
std::string taskFormatName(TaskFormat format);
TaskFormat taskFormatFromName(const std::string& name);  ///< Error with the known names

/// One question.
struct TaskItem {
    std::string context;                ///< what stands before the answer
    std::vector<std::string> contexts;  ///< of each choice, where they differ (winogrande); else empty
    std::vector<std::string> choices;   ///< what is scored behind the context, its blank included; one: a completion
    std::vector<int64_t> lengths;       ///< characters of each choice without the blank
    int64_t answer = 0;
    std::string example;                ///< the question with its right answer, as it stands before another question
    std::string where;                  ///< file and line
};

struct EvaluationTask {
    std::string name;  ///< the file's stem, or MMLU's subject
    TaskFormat format = TaskFormat::choice;
    std::string description;  ///< in front of everything; empty: none
    std::vector<TaskItem> items;

    bool multipleChoice() const { return format != TaskFormat::lambada && format != TaskFormat::completion; }
    /// Scores divided by the choices' lengths mean something.
    bool normalized() const { return format == TaskFormat::arc || format == TaskFormat::hellaswag || format == TaskFormat::choice; }
};

/// The questions of a file (.jsonl, .json or .csv, also gzipped); one task for each subject where lines name some. Without a format it is told from
/// the first line's fields. Throws Error with the line: not of the format, an answer that is none of the choices, longer than 16 MiB, no questions; and
/// Cancelled.
std::vector<EvaluationTask> readTasks(const std::filesystem::path& file, std::optional<TaskFormat> format = std::nullopt, const std::stop_token& stop = {});

/// Where the examples in front of the questions come from.
struct ShotOptions {
    int64_t shots = 0;     ///< examples before each question
    uint64_t seed = 42;    ///< of the order of the questions and of the draws
    int64_t limit = 0;     ///< first questions in that order; 0: all
};

/// A question as it is put to a model.
struct TaskPrompt {
    const TaskItem* item = nullptr;
    std::string before;  ///< description and examples
    /// What stands before choice i.
    std::string context(size_t choice) const { return before + (item->contexts.empty() ? item->context : item->contexts[choice]); }
};

/// Questions shuffled, each behind `shots` examples: drawn anew for each from `pool`, for MMLU the pool's first ones. Without a pool they are drawn from the
/// other questions. Both tasks must outlive the prompts. Throws Error where there are fewer than asked for, and Cancelled.
std::vector<TaskPrompt> taskPrompts(const EvaluationTask& task, const EvaluationTask* pool, const ShotOptions& options, const std::stop_token& stop = {});

}  // namespace owq
