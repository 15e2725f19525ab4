// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/jobs/calibrate.h"

namespace owq {

struct PreviewOptions {
    std::filesystem::path model;
    CalibrationOptions calibration;
    int64_t texts = 512;  ///< at most so many windows are decoded
};

/// The windows that an analysis or a run with these options would see.
struct CalibrationPreview {
    int64_t windows = 0, length = 0;  ///< tokens in each
    double unknown = 0;               ///< share of tokens that are <unk>
    std::vector<std::string> texts;   ///< UTF-8, but cut where the tokens are; ids with spaces between where there is no tokenizer
    std::vector<std::string> warnings;
};

/// Throws Error (as the run would) and Cancelled. Computes nothing with the model: any thread will do.
CalibrationPreview previewCalibration(const PreviewOptions& options, Progress& progress, std::stop_token stop);

}  // namespace owq
