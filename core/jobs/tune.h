// SPDX-License-Identifier: Apache-2.0
// Weak column tuning: trains the weak columns of a quantized model on a text, and writes them as a task file.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/tune/tuning_forecast.h"
#include "core/tune/tuning_settings.h"

namespace owq {

/// A line of the journal: a step of the optimizer, or a validation after a step (0: before the first).
struct TuningPoint {
    int64_t step = 0;
    std::optional<double> validation;  ///< mean loss of a token; the rest belongs to steps
    double loss = 0;                   ///< mean of a scored token, before the step
    double learningRate = 0, gradientNorm = 0;
    int64_t tokens = 0;  ///< scored
};

struct TuneOptions {
    std::filesystem::path model, modelFolder;  ///< run directory or packed model
    std::filesystem::path data;                ///< text, or JSON lines of texts or of prompts and responses
    std::filesystem::path validation;          ///< the same; empty: a share of the data is held out
    std::filesystem::path out;                 ///< folder
    int64_t sequenceLength = 0;                ///< 0: the smaller of the model's maximum and 512
    TuningSettings settings;
    int64_t checkpointEvery = 20;  ///< steps
    bool dryRun = false;           ///< forecast only; one batch is computed for the time; nothing is written
    bool resume = false;           ///< go on with what is in `out`, if anything
    bool force = false;            ///< replace it
    std::function<void(const TuningPoint&)> onPoint;  ///< in the job's thread; resumed runs begin with what the journal holds
};

struct TuneResult {
    std::filesystem::path task;  ///< the file; empty after a dry run
    uint64_t taskBytes = 0;
    int64_t parameters = 0;      ///< weak weights
    int64_t linears = 0;         ///< that have weak columns
    int64_t examples = 0, validationExamples = 0;
    int64_t scoredTokens = 0;    ///< of an epoch
    int64_t sequenceLength = 0, steps = 0, plannedSteps = 0;
    std::optional<double> validationBefore, validationAfter;  ///< mean loss of a token, after: of the weights in the file
    int64_t bestStep = -1;       ///< whose weights are in the file
    std::string ended;           ///< "all steps done", "validation no longer improves"
    std::vector<TuningPoint> journal;
    std::vector<std::string> warnings;
    TuningForecast forecast;
    double secondsPerStep = 0;   ///< measured; a dry run's from one batch
    double seconds = 0;
    uint64_t peakMemoryBytes = 0;
};

/// out holds tuning.json (settings), journal.jsonl, checkpoint.safetensors, task.safetensors, result.json. A run that was stopped or killed
/// and is resumed takes the same steps to the last digit as one that was not. Throws Error (nothing to tune, data without tokens, out in
/// use or of other settings, too little memory) and Cancelled, after which out can be resumed.
TuneResult tune(const TuneOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const TuneResult& result);
Json toJson(const TuningPoint& point);

}  // namespace owq
