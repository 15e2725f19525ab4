// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>

#include "core/jobs/calibrate.h"
#include "core/jobs/compare.h"
#include "core/jobs/evaluate.h"
#include "core/jobs/evaluate_tasks.h"
#include "core/jobs/export.h"
#include "core/jobs/generate.h"
#include "core/jobs/inspect.h"
#include "core/jobs/lesson.h"
#include "core/jobs/preview.h"
#include "core/jobs/quantize.h"
#include "core/jobs/run_directory.h"
#include "core/jobs/tune.h"

namespace owq {

/// The jobs of the core as the window calls them; tests put others in their place.
struct JobFunctions {
    template <class Result, class Options>
    using Job = std::function<Result(const Options&, Progress&, std::stop_token)>;

    std::function<void(int)> setThreads;  ///< of the computing thread, which calls it before its first job; 0: all cores
    Job<InspectResult, InspectOptions> inspect;
    Job<CalibrateResult, CalibrateOptions> calibrate;
    Job<CalibrationPreview, PreviewOptions> previewCalibration;
    Job<QuantizeResult, QuantizeOptions> quantize;
    Job<EvaluateResult, EvaluateOptions> evaluate;
    Job<EvaluateTasksResult, EvaluateTasksOptions> ask;
    Job<CompareResult, CompareOptions> compare;
    std::function<std::vector<ComparedPerplexity>(const std::filesystem::path&)> evaluationsOf;  ///< of a run
    std::function<void(const std::filesystem::path&, const EvaluateResult&)> keepEvaluation;
    Job<ExportResult, ExportOptions> exportModel;
    Job<TuneResult, TuneOptions> tune;
    Job<LessonResult, LessonOptions> lesson;
    Job<GenerateResult, GenerateOptions> generate;  ///< may keep models for the next prompt; every other job of the computing thread lets go of them
    /// Task files that were tuned on a model and lie in or beside its folder.
    std::function<std::vector<std::filesystem::path>(const std::filesystem::path&, std::stop_token)> findTasks;
    /// Error where the task was not tuned on the model; reads one linear.
    std::function<void(const std::filesystem::path& model, const std::filesystem::path& task)> checkTask;
    std::function<bool(const std::filesystem::path&)> hasWeakColumns;  ///< of a packed model, by its headers; nothing else has
    std::function<RunSummary(const std::filesystem::path&)> openRun;
    std::function<LayerReport(const std::filesystem::path&, const std::string&)> readRunLayer;
    std::function<std::vector<LayerReport>(const std::filesystem::path&, std::stop_token)> readRunLayers;
};

JobFunctions realJobs();

}  // namespace owq
