// SPDX-License-Identifier: Apache-2.0
// The lesson: a piece of a real linear, small enough to look at, quantized so that every step can be followed.
#pragma once
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/jobs/calibrate.h"
#include "core/model/model_info.h"
#include "core/quantize/trace.h"

namespace owq {

struct LessonOptions {
    std::filesystem::path model;  ///< a checkpoint
    std::string linear;           ///< empty: the first of the model
    CalibrationOptions calibration{.text = {}, .tokens = {}, .samples = 8, .sequenceLength = 256, .seed = 0};  ///< few windows will do
    int bits = 3;
    int64_t rows = 8, columns = 12;  ///< of the piece; fewer where the linear has fewer
};

/// The piece: its most sensitive input channel, and beside it those of ordinary strength whose inputs go most together with it; rows at
/// equal distances.
struct LessonResult {
    LinearInfo linear;
    int bits = 3;
    int64_t tokens = 0, windows = 0;
    std::vector<std::string> warnings;
    LinearStatistics statistics;         ///< of the whole linear
    std::vector<int32_t> rows, columns;  ///< which ones of the linear, ascending
    std::vector<float> weight;           ///< [rows, columns]
    std::vector<float> hessian;          ///< [columns, columns], without damping
    std::vector<float> plain;            ///< [rows, columns]: rounded to the grids of `all`, without a column loop
    double plainError = 0;               ///< outputError(weight - plain, H with damping), comparable with that of the two loops
    ColumnTrace all;                     ///< every column quantized
    ColumnTrace kept;                    ///< the most sensitive column of the piece kept in 16 bit
    double seconds = 0;
};

/// Throws Error (not a checkpoint, no such linear, no calibration text, an input that is always 0) and Cancelled.
LessonResult lesson(const LessonOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const LessonResult& result);

}  // namespace owq
