// SPDX-License-Identifier: Apache-2.0
// Many settings of the quantizer over one model, with a table at the end.
#pragma once
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/budget/budget.h"
#include "core/jobs/sweep_grid.h"

namespace owq {

struct SweepText {
    std::filesystem::path file;
    std::string protocol = "plain";
};

struct SweepOptions {
    std::filesystem::path model, out;
    SweepGrid grid;
    std::vector<SweepText> texts;      ///< perplexity is measured on each; none: sizes and bits only
    int64_t evaluationLength = 0;      ///< as EvaluateOptions::sequenceLength
    int64_t maxWindows = 0;            ///< 0: all
    bool latency = false;              ///< time the linears of each setting, one token, on this machine
    int64_t workingSet = 0;            ///< as BenchOptions has them: bytes of weights that are read in turn, and
    double seconds = 0.4;              ///< of one measurement, at least
    bool force = false;                ///< start over in a folder that holds a sweep
};

struct SweepPerplexity {
    std::string text, protocol;        ///< file name; empty: not measured yet
    double perplexity = 0, nll = 0;
    int64_t tokens = 0, windows = 0, sequenceLength = 0;
    double seconds = 0;
    std::string key;                   ///< of everything that decides it: what is measured is not measured again
};

enum class SweepState { waiting, done, failed };

struct SweepRow {
    SweepSetting setting;
    SweepState state = SweepState::waiting;
    std::string error;                 ///< of a failed one
    bool reused = false;               ///< its run was found finished
    EffectiveBits effectiveBits;
    uint64_t fileBytes = 0;            ///< of the whole model as it would be packed; 0: not known yet
    double seconds = 0;                ///< of quantizing
    double tokenSeconds = 0;           ///< of one token through all linears, packed (int8x2) or as they are kept; 0: not measured
    std::vector<SweepPerplexity> perplexity;  ///< one per text
    std::vector<std::string> warnings;
};

struct SweepResult {
    std::string model;
    std::vector<std::string> varied;   ///< keys of SweepSetting::values
    std::vector<std::string> texts;    ///< titles of the perplexity columns
    uint64_t originalBytes = 0;
    double originalTokenSeconds = 0;   ///< with weights of 16 bits
    std::vector<SweepPerplexity> original;
    std::vector<SweepRow> rows;        ///< in the order of the grid
    size_t failed() const;
};

/// Each setting becomes a run directory out/<name>, as quantize() writes it, and is then evaluated. out/sweep.json and
/// out/sweep.csv are rewritten after each; out/sweep.jsonl keeps every measurement. A setting that fails says so in its row and
/// the others go on; what no setting could survive (model, texts, calibration, folder) throws Error before the first. After
/// Cancelled or a crash the same call goes on: finished runs and measurements are taken as they are, unfinished runs are
/// resumed, failed ones tried again.
/// One calibration: windows are drawn once for each seed and number of samples, and the model's files are hashed once.
/// Hessians are not shared: they would agree in the first block only, because what enters a later block of a run has gone
/// through the run's own quantized blocks before it.
/// All runs stay on the disk, with a byte for each weight in every one.
SweepResult sweep(const SweepOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const SweepResult& result);
/// A line of titles, one for the original, one for each setting; numbers as JSON writes them, empty where there is none.
std::string toCsv(const SweepResult& result);

}  // namespace owq
