// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/task.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/evaluate/csv.h"
#include "core/evaluate/task_formats.h"
#include "core/text/documents.h"
#include "core/text/python_random.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLineLimit = 16u << 20;  // of a question; a longer one would be worked on without a look at the stop token

constexpr std::pair<TaskFormat, const char*> kNames[] = {
    {TaskFormat::arc, "arc"},         {TaskFormat::hellaswag, "hellaswag"},   {TaskFormat::mmlu, "mmlu"},
    {TaskFormat::lambada, "lambada"}, {TaskFormat::winogrande, "winogrande"}, {TaskFormat::choice, "choice"},
    {TaskFormat::completion, "completion"}};

/// The name without what packs it and without its extension.
std::string stemOf(const fs::path& file) {
    const fs::path name = file.extension() == ".gz" ? file.stem() : file.filename();
    return name.stem().string();
}

bool isCsv(const fs::path& file) {
    const fs::path name = file.extension() == ".gz" ? file.stem() : file.filename();
    return name.extension() == ".csv";
}

/// "anatomy_test" of the published files is about anatomy.
std::string subjectOf(const std::string& stem) {
    for (const char* end : {"_test", "_val", "_dev"})
        if (stem.size() > std::string(end).size() && stem.ends_with(end)) return stem.substr(0, stem.size() - std::string(end).size());
    return stem;
}

EvaluationTask mmluTask(const std::string& subject) { return {subject, TaskFormat::mmlu, mmluDescription(subject), {}}; }

}  // namespace

std::string taskFormatName(TaskFormat format) {
    for (const auto& [value, name] : kNames)
        if (value == format) return name;
    return {};
}

TaskFormat taskFormatFromName(const std::string& name) {
    std::string known;
    for (const auto& [value, text] : kNames) {
        if (name == text) return value;
        known += (known.empty() ? "" : ", ") + std::string(text);
    }
    throw Error("unknown task format \"" + name.substr(0, 40) + "\"", {}, "Known are " + known);
}

std::vector<EvaluationTask> readTasks(const fs::path& file, std::optional<TaskFormat> format, const std::stop_token& stop) {
    std::vector<EvaluationTask> tasks;
    if (isCsv(file)) {
        if (format && *format != TaskFormat::mmlu)
            throw Error("a table is read as " + taskFormatName(*format), file.string(), "Only MMLU comes as tables; the others are JSON lines.");
        tasks.push_back(mmluTask(subjectOf(stemOf(file))));
        eachCsvRecord(
            file, [&](std::vector<std::string>& fields, const std::string& where) { tasks[0].items.push_back(mmluItem(fields, where)); }, stop);
    } else {
        std::map<std::string, size_t> bySubject;
        const auto add = [&](const Json& line, const std::string& where) {
            if (!format) format = guessedFormat(line, where);
            TaskItem item = itemOf(*format, line, where);
            std::string subject;
            if (*format == TaskFormat::mmlu) subject = optional<std::string>(line, "subject", subjectOf(stemOf(file)), where);
            const auto [found, added] = bySubject.emplace(subject, tasks.size());
            if (added) tasks.push_back(subject.empty() ? EvaluationTask{stemOf(file), *format, {}, {}} : mmluTask(subject));
            tasks[found->second].items.push_back(std::move(item));
        };
        eachLine(
            file,
            [&](const std::string& line, const std::string& where) {
                if (line.size() > kLineLimit) throw Error("a question is longer than 16 MiB", where, "Give a file of one question a line.");
                if (line.find_first_not_of(" \t\r") != std::string::npos) add(parseJson(line, where), where);
                return true;
            },
            stop);
    }
    if (tasks.empty() || tasks[0].items.empty()) throw Error("holds no questions", file.string());
    return tasks;
}

std::vector<TaskPrompt> taskPrompts(const EvaluationTask& task, const EvaluationTask* pool, const ShotOptions& options, const std::stop_token& stop) {
    const std::vector<TaskItem>& from = pool ? pool->items : task.items;
    const bool first = pool && task.format == TaskFormat::mmlu;
    // One more than asked for where the question itself may be among them.
    const int64_t wanted = options.shots == 0 ? 0 : options.shots + (pool ? 0 : 1);
    if (int64_t(from.size()) < wanted)
        throw Error("there are " + std::to_string(from.size()) + " questions to take " + std::to_string(options.shots) + " examples from", task.name,
                    "Ask for fewer shots or give more examples.");
    PythonRandom random(options.seed);
    std::vector<const TaskItem*> items;
    for (const TaskItem& item : task.items) items.push_back(&item);
    random.shuffle(items);
    if (options.limit > 0 && options.limit < int64_t(items.size())) items.resize(size_t(options.limit));
    std::vector<TaskPrompt> prompts;
    for (const TaskItem* item : items) {
        checkStop(stop);
        TaskPrompt prompt{item, task.description.empty() ? "" : task.description + "\n\n"};
        std::vector<int64_t> drawn;
        if (first)
            for (int64_t i = 0; i < wanted; ++i) drawn.push_back(i);
        else if (wanted)
            drawn = random.sample(int64_t(from.size()), wanted);
        int64_t taken = 0;
        for (const int64_t i : drawn) {
            if (&from[size_t(i)] == item || taken == options.shots) continue;
            prompt.before += from[size_t(i)].example + "\n\n";
            ++taken;
        }
        prompts.push_back(std::move(prompt));
    }
    return prompts;
}

}  // namespace owq
