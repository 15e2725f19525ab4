// SPDX-License-Identifier: Apache-2.0
// statistics.h5, what a run or an analysis learned about every linear, for other programs and for figures.
//
// Root attributes: `schema` (1), `model`, `family`, `recipe` (JSON text). One group per linear, /layers/<name>, in the model's
// order, with attributes `rows`, `columns`, `bits`, `damping`, `tokens` and one-dimensional datasets, each left out when empty:
// `hessian_diagonal`, `column_min`, `column_max`, `column_error`, `sensitivity` f32 [columns]; `weak_columns` i32 [k];
// `column_loss` f32 [columns], or without the weak ones; `order` i32 [columns]. Chunked, shuffled, deflated, without time stamps.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

struct StatisticsEntry {
    std::string name;  ///< of the linear; without "/"
    int64_t rows = 0, columns = 0;
    int bits = 0;
    double damping = 0;                ///< share really used
    std::vector<int32_t> weakColumns;  ///< ascending
    LinearStatistics statistics;
};

struct StatisticsFile {
    std::string model, family;
    Json recipe = Json::object();
    std::vector<StatisticsEntry> layers;  ///< in the model's order
};

/// Writes under a temporary name and renames. Equal input gives equal bytes. Throws Error (sizes that do not fit, disk).
void writeStatistics(const std::filesystem::path& file, const StatisticsFile& statistics);
/// Throws Error naming file, layer and reason for anything that does not follow the schema.
StatisticsFile readStatistics(const std::filesystem::path& file);
/// One linear; nothing is read of the others.
StatisticsEntry readStatisticsEntry(const std::filesystem::path& file, const std::string& linear);

}  // namespace owq
