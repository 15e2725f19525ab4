// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace owq {

/// Weight statistics that need no data (paper Fig. 3).
struct ColumnRanges {
    std::string layer;
    std::vector<float> columnMin, columnMax;  ///< [columns]; over the finite weights
    double min = 0, max = 0, mean = 0, standardDeviation = 0;
    int64_t nonFinite = 0;
};

/// weight: [rows, columns], row-major.
ColumnRanges columnRanges(const std::string& layer, const float* weight, int64_t rows, int64_t columns);

}  // namespace owq
