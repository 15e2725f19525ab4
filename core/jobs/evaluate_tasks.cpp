// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/evaluate_tasks.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/evaluate/score_texts.h"
#include "core/jobs/evaluate.h"
#include "core/model/model_source.h"
#include "core/model/task_source.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

/// A task, the examples for it, and how both become prompts.
struct Entry {
    EvaluationTask task;
    std::optional<EvaluationTask> pool;
    ShotOptions shots;
    std::vector<TaskPrompt> prompts;
};

/// Of one subject, where the examples have subjects.
std::optional<EvaluationTask> poolFor(const EvaluationTask& task, const fs::path& from, std::optional<TaskFormat> format, const std::stop_token& stop) {
    if (from.empty()) return std::nullopt;
    fs::path file = from;
    if (fs::is_directory(from)) {
        file = from / (task.name + "_dev.csv");
        if (!fs::exists(file)) throw Error("holds no examples for the task " + task.name, from.string(), "Expected " + file.filename().string() + ", or give a file.");
    }
    std::vector<EvaluationTask> tasks = readTasks(file, format ? format : std::optional(task.format), stop);
    for (EvaluationTask& one : tasks)
        if (one.name == task.name || task.format != TaskFormat::mmlu || tasks.size() == 1) return std::move(one);
    throw Error("holds no examples about " + task.name, file.string());
}

std::vector<Entry> entriesOf(const EvaluateTasksOptions& o, const std::stop_token& stop) {
    std::vector<Entry> entries;
    for (const fs::path& file : o.tasks)
        for (EvaluationTask& task : readTasks(file, o.format, stop)) {
            Entry entry{std::move(task), std::nullopt, o.shots, {}};
            if (entry.shots.shots < 0) entry.shots.shots = usualShots(entry.task.format);
            if (entry.shots.shots) entry.pool = poolFor(entry.task, o.shotsFrom, o.format, stop);
            entries.push_back(std::move(entry));
        }
    for (Entry& e : entries) e.prompts = taskPrompts(e.task, e.pool ? &*e.pool : nullptr, e.shots, stop);
    return entries;
}

/// What was asked of one question, and what came out.
struct Outcome {
    std::vector<double> logLikelihood;
    size_t chosen = 0, chosenNormalized = 0;
    bool greedy = false;
};

Outcome outcomeOf(const TaskItem& item, const TextScore* scores) {
    Outcome out;
    std::vector<double> perCharacter;
    for (size_t i = 0; i < item.choices.size(); ++i) {
        out.logLikelihood.push_back(scores[i].logLikelihood);
        perCharacter.push_back(scores[i].logLikelihood / double(std::max<int64_t>(1, item.lengths[i])));
    }
    const auto best = [](const std::vector<double>& v) { return size_t(std::max_element(v.begin(), v.end()) - v.begin()); };
    out.chosen = best(out.logLikelihood);
    out.chosenNormalized = best(perCharacter);
    out.greedy = scores[0].greedy;
    return out;
}

TaskResult resultOf(const Entry& e, const std::vector<TextScore>& scores, std::string& answers) {
    TaskResult result{e.task.name, e.task.format, int64_t(e.prompts.size()), e.shots.shots, {}, std::nullopt, std::nullopt};
    std::vector<double> right, rightNormalized;
    double logSum = 0;
    size_t at = 0;
    for (const TaskPrompt& prompt : e.prompts) {
        const TaskItem& item = *prompt.item;
        const Outcome out = outcomeOf(item, &scores[at]);
        at += item.choices.size();
        const bool choice = e.task.multipleChoice();
        right.push_back(choice ? out.chosen == size_t(item.answer) : out.greedy);
        rightNormalized.push_back(out.chosenNormalized == size_t(item.answer));
        logSum += out.logLikelihood[0];
        Json line = {{"task", e.task.name}, {"where", item.where}, {"prompt", prompt.context(size_t(item.answer))}, {"choices", item.choices},
                     {"log_likelihood", out.logLikelihood}, {"right", right.back() > 0}};
        if (choice) line.update({{"answer", item.answer}, {"chosen", out.chosen}});
        if (choice && e.task.normalized()) line["chosen_normalized"] = out.chosenNormalized;
        answers += line.dump() + "\n";
    }
    result.accuracy = windowMean(right);
    if (e.task.normalized()) result.normalized = windowMean(rightNormalized);
    if (!e.task.multipleChoice()) result.perplexity = std::exp(-logSum / double(e.prompts.size()));
    return result;
}

}  // namespace

int64_t usualShots(TaskFormat format) {
    return format == TaskFormat::arc ? 25 : format == TaskFormat::hellaswag ? 10 : format == TaskFormat::mmlu ? 5 : 0;
}

EvaluateTasksResult evaluateTasks(const EvaluateTasksOptions& options, Progress& progress, std::stop_token stop) {
    const auto start = std::chrono::steady_clock::now();
    if (options.tasks.empty()) throw Error("no questions are given", "evaluation", "Give a file of questions");
    if (options.shots.limit < 0) throw Error("the number of questions must not be negative", "evaluation");
    progress.report("Reading the questions", "", 0);
    const std::vector<Entry> entries = entriesOf(options, stop);
    const auto device = openDevice(options.device);
    const auto model = withTask(ModelSource::open(options.model, options.modelFolder), options.task);
    const auto tokenizer = openTokenizer(model->tokenizerFolder());
    std::vector<ScoredText> texts;
    for (const Entry& e : entries)
        for (const TaskPrompt& prompt : e.prompts)
            for (size_t i = 0; i < prompt.item->choices.size(); ++i) {
                checkStop(stop);
                try {
                    texts.push_back(scoredText(*tokenizer, prompt.context(i), prompt.item->choices[i], model->info().maxPositions));
                } catch (const Error& error) {
                    throw Error(error.happened(), prompt.item->where, error.remedy());
                }
            }
    PerplexityOptions pass;
    pass.arithmetic = options.arithmetic;
    pass.device = device;
    const std::vector<TextScore> scores = scoreTexts(model, texts, pass, stop, [&](double fraction, int block) {
        progress.report("Asking questions", block < 0 ? "head" : "block " + std::to_string(block + 1), fraction);
    });

    EvaluateTasksResult result;
    result.model = options.model.string();
    result.arithmetic = arithmeticName(options.arithmetic);
    if (device) result.device = deviceName(*device);
    std::string answers;
    size_t at = 0;
    for (const Entry& e : entries) {
        size_t count = 0;
        for (const TaskPrompt& prompt : e.prompts) count += prompt.item->choices.size();
        result.tasks.push_back(resultOf(e, {scores.begin() + long(at), scores.begin() + long(at + count)}, answers));
        result.meanAccuracy += result.tasks.back().accuracy.mean / double(entries.size());
        at += count;
    }
    if (!options.answers.empty()) writeText(options.answers, answers);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    result.peakMemoryBytes = peakMemoryBytes();
    progress.report("Asked", "", 1);
    return result;
}

Json toJson(const EvaluateTasksResult& r) {
    Json tasks = Json::array();
    for (const TaskResult& t : r.tasks) {
        Json one = {{"name", t.name}, {"format", taskFormatName(t.format)}, {"questions", t.questions}, {"shots", t.shots}, {"accuracy", toJson(t.accuracy)}};
        if (t.normalized) one["normalized_accuracy"] = toJson(*t.normalized);
        if (t.perplexity) one["perplexity"] = *t.perplexity;
        tasks.push_back(one);
    }
    return {{"model", r.model}, {"arithmetic", r.arithmetic}, {"device", r.device}, {"tasks", tasks}, {"mean_accuracy", r.meanAccuracy}, {"seconds", r.seconds},
            {"peak_memory_bytes", r.peakMemoryBytes}};
}

}  // namespace owq
