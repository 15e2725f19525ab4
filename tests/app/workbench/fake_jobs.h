// SPDX-License-Identifier: Apache-2.0
// Jobs that answer at once with made-up numbers, in place of the core's.
#pragma once
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>

#include "app/workbench/job_functions.h"

namespace owq {

/// What the fakes were asked and how they should behave. Shared by the test and the jobs.
struct FakeWorld {
    int blocks = 2;
    int64_t hidden = 256, inner = 704;
    std::chrono::milliseconds perLayer{1};
    std::atomic<int> inspected{0}, calibrated{0}, quantized{0}, evaluated{0}, exported{0}, generated{0}, planned{0}, tuned{0}, questioned{0}, taught{0};
    std::atomic<int> threads{-1}, quantizeThreads{-1};  ///< as set now, and when the last run began
    std::atomic<bool> failQuantize{false}, failLesson{false}, failKeeping{false};
    std::atomic<bool> packed{false};  ///< the model is, with weak columns
    std::mutex mutex;
    std::map<std::string, RunSummary> runs;  ///< by directory
    std::map<std::string, std::map<std::string, LayerReport>> layers;
    std::map<std::string, std::vector<std::filesystem::path>> tasks;  ///< by model
    std::map<std::string, std::vector<std::filesystem::path>> elsewhere;  ///< likewise, tuned on it but not beside it
    std::map<std::string, std::vector<ComparedPerplexity>> evaluations;   ///< in the folder of a run
    std::vector<std::string> evaluateWarnings;
    std::vector<GenerateOptions> asked;  ///< of generate, without its callback
    QuantizeOptions lastQuantize;
    EvaluateOptions lastEvaluate;
    ExportOptions lastExport;
    TuneOptions lastTune;
    EvaluateTasksOptions lastAsked;
    LessonOptions lastLesson;

    ModelInfo model() const;
    LayerReport report(const LinearInfo& linear, bool quantized) const;
};

JobFunctions fakeJobs(std::shared_ptr<FakeWorld> world);

}  // namespace owq
