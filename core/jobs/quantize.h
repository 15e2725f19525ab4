// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/budget/budget.h"
#include "core/device/open_device.h"
#include "core/jobs/calibrate.h"
#include "core/jobs/layer_report.h"
#include "core/budget/recipe.h"
#include "core/pipeline/memory_forecast.h"

namespace owq {

struct QuantizeResult;

struct QuantizeOptions {
    std::filesystem::path model, out;
    CalibrationOptions calibration;      ///< not needed for rtn
    Recipe recipe;
    std::filesystem::path budget;        ///< JSON with bits and weak columns per linear, or empty
    std::optional<BudgetPlan> plan;      ///< the same as `budget`, not from a file
    bool dryRun = false;                 ///< plan and sizes only; writes out/budget.json
    bool withoutAllocation = false;      ///< of a dry run: the model is not looked at for a greedy allocation, which only the forecast counts
    DeviceKind device = DeviceKind::cpu;  ///< what computes; a plan is made without it
    bool resume = false, force = false;
    uint64_t memoryLimit = 0;            ///< bytes the process may hold; 0: what the machine has free. Activations go to a scratch file in
                                         ///< `out` when only that makes the run fit; an Error before it starts when nothing does
    std::function<void(const QuantizeResult&)> onForecast;  ///< in the job's thread, before anything is computed: forecasts and warnings are set
    std::function<void(const LayerReport&)> onLayer;  ///< in the job's thread, also for layers found finished on resume
};

struct QuantizeResult {
    Recipe recipe;
    DeviceKind device = DeviceKind::cpu;
    std::string deviceName;              ///< of a GPU
    double targetBits = 0;
    EffectiveBits effectiveBits;
    uint64_t packedBytes = 0;            ///< of the packed linears; with embeddings and the rest: fileBytes
    uint64_t fileBytes = 0;
    StageSeconds seconds;
    uint64_t peakMemoryBytes = 0;        ///< measured
    MemoryForecast forecast;             ///< made before the run; a scratch file is, or would be, used where it says so
    MemoryForecast deviceForecast;       ///< of the GPU's own memory; `scratch`: the activations do not fit there. No phases on the CPU
    uint64_t diskBytes = 0;              ///< forecast: what the run directory still takes, a scratch file included
    int64_t tokens = 0;
    std::vector<LayerReport> layers;
    std::vector<std::string> warnings;
    bool dryRun = false;
    std::vector<int64_t> plannedWeakColumns;  ///< of a dry run, as layers
};

/// The main job; see DESIGN "Run directory" for what it writes. Stopping (Cancelled) leaves a directory that can be resumed.
QuantizeResult quantize(const QuantizeOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const QuantizeResult& result);

}  // namespace owq
