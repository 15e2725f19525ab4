// SPDX-License-Identifier: Apache-2.0
// What recipe.json says of a run, and the calibration windows behind it. Internal to core/jobs.
#pragma once
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "core/budget/budget.h"
#include "core/device/open_device.h"
#include "core/jobs/calibrate.h"
#include "core/model/model_source.h"
#include "core/text/corpus.h"

namespace owq {

/// Windows as the options ask for, checked against the model. `tokenizer` is opened only when a text is given.
TokenWindows loadCalibration(const CalibrationOptions& options, const ModelSource& model);
/// 0 and -1 resolved (see CalibrationOptions).
int64_t resolveSequenceLength(int64_t asked, const ModelInfo& info);

/// SHA-256 of each of the model's files and of its config.json, by file name. Takes long for large models.
Json hashModel(const std::filesystem::path& modelPath, Progress& progress, std::stop_token stop);

/// `kind`: "run" or "analysis". `modelFiles`: what hashModel gave, or null to have it called.
Json describeRun(const std::string& kind, const std::filesystem::path& modelPath, const ModelSource& model, const Recipe& recipe,
                 const BudgetPlan& plan, const CalibrationOptions* calibration, const TokenWindows* windows,
                 const std::filesystem::path& out, Progress& progress, std::stop_token stop, const Json* modelFiles = nullptr, DeviceKind device = DeviceKind::cpu);

}  // namespace owq
