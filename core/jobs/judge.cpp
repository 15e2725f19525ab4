// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/judge.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/sign_test.h"
#include "core/generate/generator.h"
#include "core/model/model_source.h"
#include "core/model/task_source.h"
#include "core/pack/task_file.h"
#include "core/text/documents.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
constexpr const char* kHole = "{prompt}";

struct Prompt {
    std::string id, text;
};

std::string idOf(const Json& line, int64_t number) {
    for (const char* key : {"id", "question_id"})
        if (line.contains(key)) return line.at(key).is_string() ? line.at(key).get<std::string>() : line.at(key).dump();
    return std::to_string(number);
}

std::vector<Prompt> readPrompts(const fs::path& file, int64_t limit) {
    std::vector<Prompt> prompts;
    std::set<std::string> ids;
    const auto add = [&](std::string id, std::string text, const std::string& where) {
        if (text.find_first_not_of(" \t\r\n") == std::string::npos) throw Error("the prompt is empty", where);
        if (!ids.insert(id).second) throw Error("there are two prompts with the id \"" + id.substr(0, 60) + "\"", where);
        prompts.push_back({std::move(id), std::move(text)});
        return !limit || int64_t(prompts.size()) < limit;
    };
    if (isJsonLines(file)) {
        eachJsonLine(file, [&](const Json& line, const std::string& where) {
            const char* key = line.is_object() && line.contains("prompt") ? "prompt" : "text";
            std::string text = required<std::string>(line, key, where);
            return add(idOf(line, int64_t(prompts.size()) + 1), std::move(text), where);
        });
    } else {
        eachLine(file, [&](std::string& line, const std::string& where) {
            if (!line.empty() && line.back() == '\r') line.pop_back();
            return line.empty() || add(std::to_string(prompts.size() + 1), line, where);
        });
    }
    if (prompts.empty()) throw Error("holds no prompts", file.string());
    return prompts;
}

std::string framed(const std::string& frame, const std::string& prompt) {
    std::string text = frame;
    return text.replace(text.find(kHole), std::string(kHole).size(), prompt);
}

/// One of the two models.
struct Contestant {
    fs::path path, folder, task;
    std::shared_ptr<const ModelSource> open() const { return withTask(ModelSource::open(path, folder), task); }
};

Contestant modelA(const JudgeOptions& o) { return {o.a, o.aFolder, o.aTask}; }
Contestant modelB(const JudgeOptions& o) { return {o.b, o.bFolder, o.bTask}; }

std::string wholePath(const fs::path& path) { return path.empty() ? "" : fs::absolute(path).lexically_normal().string(); }

Json settingsOf(const JudgeOptions& o, const std::stop_token& stop) {
    Json settings{{"schema", 1},           {"a", wholePath(o.a)}, {"b", wholePath(o.b)},
                  {"prompts", sha256File(o.prompts, stop)}, {"limit", o.limit}, {"frame", o.frame}, {"max_tokens", o.maxTokens},
                  {"temperature", o.temperature}, {"top_p", o.topP}, {"seed", o.seed}, {"arithmetic", arithmeticName(o.arithmetic)}};
    for (const auto& [who, contestant] : {std::pair(std::string("a"), modelA(o)), std::pair(std::string("b"), modelB(o))}) {
        const auto model = contestant.open();
        settings[who + "_files"] = fileState(*model);
        settings[who + "_task"] = wholePath(contestant.task);
        if (contestant.task.empty()) continue;
        settings[who + "_task_sha256"] = sha256File(contestant.task, stop);
        model->linear(readTask(contestant.task).linears.begin()->first);  // it was tuned on this model
    }
    return settings;
}

/// What differs, for a person.
std::string nameOf(const std::string& key) {
    const std::string model = std::string("model ") + (key[0] == 'a' ? "A" : "B");
    if (key.ends_with("_files")) return model + ": its files were changed since";
    if (key.ends_with("_task") || key.ends_with("_task_sha256")) return "task of " + model;
    return key;
}

/// What lies in the folder is of the same settings, or nothing does.
void claim(const fs::path& folder, const Json& settings) {
    fs::create_directories(folder);
    const fs::path file = folder / "judge.json";
    if (!fs::exists(file)) {
        if (!fs::is_empty(folder)) throw Error("the folder holds other files", folder.string(), "Choose a new folder.");
        writeJson(file, settings);
        return;
    }
    const Json there = readJson(file);
    for (const auto& [key, value] : settings.items())
        if (!there.contains(key) || there.at(key) != value)
            throw Error("the folder holds answers with another " + nameOf(key), folder.string(), "Choose another folder, or the settings in its judge.json.");
}

/// Answers of one model by id; the last line may be cut off by a kill.
std::map<std::string, std::string> readAnswers(const fs::path& file) {
    std::map<std::string, std::string> answers;
    if (!fs::exists(file)) return answers;
    const std::string text = readText(file);
    const size_t end = text.rfind('\n');
    if (end == std::string::npos || end + 1 != text.size()) writeText(file, text.substr(0, end == std::string::npos ? 0 : end + 1));
    eachJsonLine(file, [&](const Json& line, const std::string& where) {
        answers[required<std::string>(line, "id", where)] = required<std::string>(line, "text", where);
        return true;
    });
    return answers;
}

/// One model's answers, those that are missing generated and written one by one.
std::map<std::string, std::string> answersOf(const Contestant& contestant, const fs::path& file, const JudgeOptions& o,
                                             const std::vector<Prompt>& prompts, const std::function<void(double)>& progress, const std::stop_token& stop,
                                             int64_t& answeredBefore) {
    std::map<std::string, std::string> answers = readAnswers(file);
    const auto missing = [&](const Prompt& p) { return !answers.count(p.id); };
    answeredBefore += int64_t(answers.size());
    if (std::none_of(prompts.begin(), prompts.end(), missing)) return answers;
    const auto model = contestant.open();
    const auto tokenizer = openTokenizer(model->tokenizerFolder());
    Generator generator(model, o.arithmetic, stop);
    for (size_t i = 0; i < prompts.size(); ++i) {
        if (!missing(prompts[i])) continue;
        progress(double(i) / double(prompts.size()));
        std::vector<int32_t> ids = tokenizer->encode(framed(o.frame, prompts[i].text));
        const size_t promptBytes = tokenizer->decode(ids, true).size();
        try {
            const Generation g = generator.generate(ids, {o.maxTokens, o.temperature, o.topP, o.seed + i}, {}, stop);
            ids.insert(ids.end(), g.ids.begin(), g.ids.end());
            const std::string all = tokenizer->decode(ids, true);
            // An answer may end inside a character.
            const std::string text = replaceInvalidUtf8(std::string_view(all).substr(std::min(promptBytes, all.size())));
            appendLineSynced(file, Json{{"id", prompts[i].id}, {"text", text}, {"tokens", g.ids.size()}, {"stop_reason", g.stopReason}}.dump());
            answers[prompts[i].id] = text;
        } catch (const Error& e) {
            throw Error(e.happened(), o.prompts.string() + ", prompt " + prompts[i].id, e.remedy());
        }
    }
    return answers;
}

}  // namespace

JudgeResult judge(const JudgeOptions& options, Progress& progress, std::stop_token stop) {
    if (options.frame.find(kHole) == std::string::npos)
        throw Error(std::string("the frame has no ") + kHole, "judge", "Say where the prompt goes, \"Question: {prompt}\\nAnswer:\" for instance.");
    if (options.maxTokens < 1) throw Error("an answer needs one token at least", "judge");
    progress.report("Reading the prompts", "", 0);
    const std::vector<Prompt> prompts = readPrompts(options.prompts, options.limit);
    // This opens both, before anything is written or takes long.
    claim(options.out, settingsOf(options, stop));
    const FileLock lock(options.out / ".lock");

    JudgeResult result{options.a.string(), options.b.string(), int64_t(prompts.size()), 0, options.out / "answers.jsonl", options.out / "comparisons.jsonl"};
    const auto of = [&](const Contestant& model, const char* file, const char* who, double begin) {
        return answersOf(model, options.out / file, options, prompts,
                         [&](double share) { progress.report("Answering", std::string("model ") + who, begin + share / 2); }, stop, result.answeredBefore);
    };
    const auto a = of(modelA(options), "answers-a.jsonl", "A", 0), b = of(modelB(options), "answers-b.jsonl", "B", 0.5);
    std::string answers, comparisons;
    for (const Prompt& p : prompts) {
        const std::string &first = a.at(p.id), &second = b.at(p.id);
        answers += Json{{"id", p.id}, {"prompt", p.text}, {"a", first}, {"b", second}}.dump() + "\n";
        comparisons += Json{{"comparison", p.id + "/1"}, {"prompt", p.text}, {"first", first}, {"second", second}}.dump() + "\n";
        comparisons += Json{{"comparison", p.id + "/2"}, {"prompt", p.text}, {"first", second}, {"second", first}}.dump() + "\n";
    }
    writeText(result.answers, answers);
    writeText(result.comparisons, comparisons);
    progress.report("Answered", "", 1);
    return result;
}

namespace {

/// +1: the first answer is better, -1: the second, 0: neither.
int preferenceOf(const Json& line, const std::string& where) {
    if (line.contains("verdict")) {
        const std::string verdict = required<std::string>(line, "verdict", where);
        if (verdict == "first") return 1;
        if (verdict == "second") return -1;
        if (verdict == "tie") return 0;
        throw Error("the verdict is \"" + verdict.substr(0, 40) + "\"", where, "Known are first, second and tie.");
    }
    const Json scores = line.contains("scores") ? line.at("scores") : Json();
    if (!scores.is_array() || scores.size() != 2 || !scores[0].is_number() || !scores[1].is_number())
        throw Error("there is neither a \"verdict\" nor \"scores\" of two numbers", where);
    const double first = scores[0].get<double>(), second = scores[1].get<double>();
    return (first > second) - (first < second);
}

}  // namespace

JudgeTally tallyVerdicts(const fs::path& folder, const fs::path& verdicts) {
    const Json settings = readJson(folder / "judge.json");
    JudgeTally tally;
    const auto named = [&](const char* model, const char* task) {
        const std::string where = (folder / "judge.json").string(), tuned = optional<std::string>(settings, task, "", where);
        return required<std::string>(settings, model, where) + (tuned.empty() ? "" : " with " + tuned);
    };
    tally.a = named("a", "a_task");
    tally.b = named("b", "b_task");
    if (!fs::exists(folder / "comparisons.jsonl"))
        throw Error("the models have not answered all prompts yet", folder.string(), "Give the command that began it again.");
    std::map<std::string, std::optional<int>> judged;  // for the answer shown first
    eachJsonLine(folder / "comparisons.jsonl", [&](const Json& line, const std::string& where) {
        judged.emplace(required<std::string>(line, "comparison", where), std::nullopt);
        return true;
    });
    eachJsonLine(verdicts, [&](const Json& line, const std::string& where) {
        const std::string name = required<std::string>(line, "comparison", where);
        const auto found = judged.find(name);
        if (found == judged.end()) throw Error("there is no comparison \"" + name.substr(0, 60) + "\"", where);
        if (found->second) throw Error("comparison \"" + name + "\" is judged twice", where);
        found->second = preferenceOf(line, where);
        return true;
    });
    std::map<std::string, std::vector<std::optional<int>>> byPrompt;  // for model a, of each comparison
    for (const auto& [name, preference] : judged) {
        std::vector<std::optional<int>>& ofPrompt = byPrompt[name.substr(0, name.rfind('/'))];
        if (!preference) {
            ++tally.missing;
            ofPrompt.push_back(std::nullopt);
            continue;
        }
        const int forA = name.ends_with("/1") ? *preference : -*preference;
        ++tally.verdicts;
        ++(forA > 0 ? tally.wins : forA < 0 ? tally.losses : tally.ties);
        tally.firstPreferred += *preference > 0;
        ofPrompt.push_back(forA);
    }
    for (const auto& [prompt, preferences] : byPrompt) {  // two orders of owq judge, one of the window's blind test
        if (std::find(preferences.begin(), preferences.end(), std::nullopt) != preferences.end()) continue;
        int sum = 0;
        for (const auto& preference : preferences) sum += *preference;
        ++(sum > 0 ? tally.promptWins : sum < 0 ? tally.promptLosses : tally.promptTies);
    }
    tally.signTest = signTest(tally.promptWins, tally.promptWins + tally.promptLosses);
    return tally;
}

Json toJson(const JudgeResult& r) {
    return {{"a", r.a}, {"b", r.b}, {"prompts", r.prompts}, {"answered_before", r.answeredBefore}, {"answers", r.answers.string()}, {"comparisons", r.comparisons.string()}};
}

Json toJson(const JudgeTally& t) {
    return {{"a", t.a}, {"b", t.b}, {"verdicts", t.verdicts}, {"missing", t.missing},
            {"comparisons", {{"wins", t.wins}, {"ties", t.ties}, {"losses", t.losses}}},
            {"prompts", {{"wins", t.promptWins}, {"ties", t.promptTies}, {"losses", t.promptLosses}}},
            {"first_preferred", t.firstPreferred}, {"sign_test", t.signTest}};
}

}  // namespace owq
