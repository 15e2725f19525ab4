// SPDX-License-Identifier: Apache-2.0
// Names and checks shared by the writer and the reader of statistics.h5.
#pragma once
#include <array>
#include <string>
#include <utility>

#include "core/store/statistics.h"

namespace owq {

inline constexpr int64_t kStatisticsSchema = 1;
inline constexpr int64_t kMostColumns = 1 << 24;
inline constexpr size_t kMostLayers = 100'000;
inline constexpr size_t kMostText = 64u << 20;  ///< bytes of a text attribute

inline constexpr std::array<std::pair<const char*, std::vector<float> LinearStatistics::*>, 6> kFloatColumns{{
    {"hessian_diagonal", &LinearStatistics::hessianDiagonal},
    {"column_min", &LinearStatistics::columnMin},
    {"column_max", &LinearStatistics::columnMax},
    {"column_error", &LinearStatistics::columnError},
    {"sensitivity", &LinearStatistics::sensitivity},
    {"column_loss", &LinearStatistics::columnLoss},
}};

/// Throws Error unless name, numbers and the length of every vector fit together.
void checkStatistics(const StatisticsEntry& entry, const std::string& where);

}  // namespace owq
