// SPDX-License-Identifier: Apache-2.0
#include "core/analyze/column_ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace owq {

ColumnRanges columnRanges(const std::string& layer, const float* weight, int64_t rows, int64_t columns) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    ColumnRanges r{layer, std::vector<float>(size_t(columns), kInfinity), std::vector<float>(size_t(columns), -kInfinity)};
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < columns; ++j) {
            const float w = weight[i * columns + j];
            if (!std::isfinite(w)) {
                ++r.nonFinite;
                continue;
            }
            r.columnMin[size_t(j)] = std::min(r.columnMin[size_t(j)], w);
            r.columnMax[size_t(j)] = std::max(r.columnMax[size_t(j)], w);
            sum += w;
            squares += double(w) * w;
        }
    }
    for (size_t j = 0; j < r.columnMin.size(); ++j)  // a column without a finite weight
        if (r.columnMin[j] > r.columnMax[j]) r.columnMin[j] = r.columnMax[j] = std::numeric_limits<float>::quiet_NaN();
    const double n = double(rows * columns - r.nonFinite);
    if (n > 0) {
        r.mean = sum / n;
        r.standardDeviation = std::sqrt(std::max(0.0, squares / n - r.mean * r.mean));
        r.min = kInfinity;
        r.max = -kInfinity;
        for (size_t j = 0; j < r.columnMin.size(); ++j) {
            if (std::isnan(r.columnMin[j])) continue;
            r.min = std::min(r.min, double(r.columnMin[j]));
            r.max = std::max(r.max, double(r.columnMax[j]));
        }
    }
    return r;
}

}  // namespace owq
