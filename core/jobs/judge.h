// SPDX-License-Identifier: Apache-2.0
// Two models answer the same prompts, for a judge, a person or another model, to say which answers are better (paper, Fig. 4).
#pragma once
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/model/arithmetic.h"

namespace owq {

struct JudgeOptions {
    std::filesystem::path a, b, aFolder, bFolder;  ///< models; the folders for a lone .pth
    std::filesystem::path aTask, bTask;            ///< weak columns to compute with, empty: the model's own
    std::filesystem::path prompts;                 ///< JSON lines with "prompt" (or "text") and perhaps "id", or a text of one prompt a line
    std::filesystem::path out;                     ///< folder; one with the same settings is gone on with
    std::string frame = "{prompt}";                ///< what a prompt is put into, for models that were taught a form
    int64_t maxTokens = 256;
    double temperature = 0.7, topP = 0.9;          ///< the paper's
    uint64_t seed = 0;                             ///< prompt i is answered with seed + i
    int64_t limit = 0;                             ///< first prompts only; 0: all
    Arithmetic arithmetic = Arithmetic::doubleInt8;
};

struct JudgeResult {
    std::string a, b;
    int64_t prompts = 0, answeredBefore = 0;  ///< answers that were there already, of both models
    std::filesystem::path answers, comparisons;
};

/// Writes into options.out: judge.json (settings), answers-a.jsonl and answers-b.jsonl (a line as each answer is done, synced), and at the end answers.jsonl
/// (id, prompt, a, b) and comparisons.jsonl, two lines for each prompt: comparison, prompt, first, second, with the models in either order. Throws Error (a
/// folder with other settings, models whose files were changed since or other tasks, prompts without text, a prompt longer than the context) and Cancelled; what was answered stays.
JudgeResult judge(const JudgeOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const JudgeResult& result);

struct JudgeTally {
    std::string a, b;
    int64_t verdicts = 0, missing = 0;                 ///< comparisons judged, and those without a verdict
    int64_t wins = 0, ties = 0, losses = 0;            ///< of a, over comparisons
    int64_t promptWins = 0, promptTies = 0, promptLosses = 0;  ///< of a, over prompts whose every comparison is judged; a judge who contradicts himself ties
    int64_t firstPreferred = 0;                        ///< verdicts for the answer shown first
    double signTest = 1;                               ///< two-sided p of promptWins against promptLosses, were both models alike
};

/// Verdicts, JSON lines with "comparison" and either "verdict" ("first", "second", "tie") or "scores" [first, second], on the
/// comparisons that judge() wrote into `folder`. Throws Error with the line: no such comparison, one judged twice, no verdict.
JudgeTally tallyVerdicts(const std::filesystem::path& folder, const std::filesystem::path& verdicts);
Json toJson(const JudgeTally& tally);

}  // namespace owq
