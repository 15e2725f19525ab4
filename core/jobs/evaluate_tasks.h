// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/device/open_device.h"
#include "core/evaluate/divergence.h"
#include "core/evaluate/task.h"
#include "core/model/arithmetic.h"

namespace owq {

struct EvaluateTasksOptions {
    std::filesystem::path model, modelFolder;       ///< modelFolder: config and tokenizer for a lone .pth
    std::filesystem::path task;                     ///< tuned weak columns of the model (owq tune); empty: its own
    std::vector<std::filesystem::path> tasks;       ///< files of questions
    std::optional<TaskFormat> format;               ///< of all files; absent: each file's fields tell
    std::filesystem::path shotsFrom;                ///< file of examples, or folder with MMLU's SUBJECT_dev.csv; empty: the other questions
    ShotOptions shots;                              ///< shots < 0: as many as the paper's tables have for the format
    Arithmetic arithmetic = Arithmetic::dense;
    DeviceKind device = DeviceKind::cpu;            ///< what computes
    std::filesystem::path answers;                  ///< JSON lines, one for each question: scores, choice made, answer; empty: none
};

/// Shots behind the paper's tables: ARC 25, HellaSwag 10, MMLU 5, the others 0.
int64_t usualShots(TaskFormat format);

struct TaskResult {
    std::string name;
    TaskFormat format = TaskFormat::choice;
    int64_t questions = 0, shots = 0;
    WindowMean accuracy;                   ///< the likeliest choice is the answer; a completion is what the model would write
    std::optional<WindowMean> normalized;  ///< the same by log-likelihood over characters
    std::optional<double> perplexity;      ///< of completions: exp of minus the mean log-likelihood of one
};

struct EvaluateTasksResult {
    std::string model, arithmetic;
    std::string device = "CPU";  ///< what computed, for a person
    std::vector<TaskResult> tasks;
    double meanAccuracy = 0;  ///< over tasks, each counting the same, as MMLU is averaged over its subjects
    double seconds = 0;
    uint64_t peakMemoryBytes = 0;
};

/// Throws Error (a file that is not of its format, with its line; too few examples; what evaluate throws) and Cancelled.
EvaluateTasksResult evaluateTasks(const EvaluateTasksOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const EvaluateTasksResult& result);

}  // namespace owq
