// SPDX-License-Identifier: Apache-2.0
// Finished runs side by side.
#pragma once
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/budget/budget.h"
#include "core/jobs/evaluations.h"

namespace owq {

struct CompareOptions {
    std::vector<std::filesystem::path> runs;  ///< two or more finished run directories of one model's linears
};

struct ComparedRun {
    std::filesystem::path directory;
    std::string name;  ///< of the folder, with as many parents as tell the runs apart
    Recipe recipe;
    double targetBits = 0;
    EffectiveBits effectiveBits;
    uint64_t packedBytes = 0, fileBytes = 0, peakMemoryBytes = 0;
    double seconds = 0;
    std::optional<double> error;  ///< OPTQ loss, sum over the linears that all runs quantized; none where one is not known
    std::vector<ComparedPerplexity> perplexities;  ///< what lies in the directory
};

struct ComparedLinear {
    struct Value {
        bool quantized = false;  ///< false: kept as it is
        int bits = 16;
        std::vector<int32_t> weakColumns;
        std::optional<double> error;  ///< OPTQ loss on this run's own inputs; none of a run without calibration (rtn)
    };
    std::string name;
    std::vector<Value> values;     ///< one per run
    int64_t sharedWeakColumns = 0;  ///< weak in every run
    /// Natural logarithm of largest over smallest error; infinite where one is 0 or the linear is not quantized by every run, 0 where an
    /// error is not known.
    double difference = 0;
};

struct CompareResult {
    std::vector<ComparedRun> runs;
    std::vector<std::string> texts;       ///< titles of the perplexity columns, in the order they appear
    std::vector<ComparedLinear> linears;  ///< where the runs differ most first; equal ones in the order of the model
};

/// Throws Error for fewer than two runs, an unfinished one, an analysis, and runs that share no linear.
CompareResult compare(const CompareOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const CompareResult& result);
/// One line per linear and run.
std::string toCsv(const CompareResult& result);

}  // namespace owq
