// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/jobs/layer_report.h"
#include "core/budget/recipe.h"

namespace owq {

struct CalibrationOptions {
    std::filesystem::path text, tokens;  ///< one of the two (see CalibrationSource)
    int64_t samples = 128;
    int64_t sequenceLength = 0;          ///< 0: the smaller of the model's maximum and 2048; -1: the model's maximum
    uint64_t seed = 0;
};

struct CalibrateOptions {
    std::filesystem::path model, out;    ///< out: folder for statistics.h5 and result.json; empty: nothing is written
    CalibrationOptions calibration;
    Recipe recipe;                       ///< bits, grid and target decide the ranking grid and the proposed weak columns
    bool force = false;
    std::function<void(const LayerReport&)> onLayer;  ///< called in the job's thread as each linear is done
};

struct CalibrateResult {
    std::vector<LayerReport> layers;     ///< statistics of the unquantized model
    int64_t tokens = 0;
    std::vector<std::string> warnings;
    double seconds = 0;
};

/// Hessian diagonals, sensitivities and column statistics without quantizing anything (the window's Analyze).
CalibrateResult calibrate(const CalibrateOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const CalibrateResult& result);

}  // namespace owq
