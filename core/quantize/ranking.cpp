// SPDX-License-Identifier: Apache-2.0
// What is known of a linear before it is quantized, and which of its columns are weak (paper Eq. 6, Table 7).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/quantize/quantize.h"
#include "kernels/range_search.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr int kRankingSteps = 40;
constexpr int64_t kColumnsAtOnce = 64;

/// Adds up (w - q)² by column, row after row.
std::vector<float> columnErrors(const float* weight, int64_t rows, int64_t columns, const LinearRecipe& recipe,
                                const std::stop_token& stop) {
    const int64_t chunk = std::clamp<int64_t>((1 << 20) / columns, 1, rows);
    std::vector<float> scale(chunk), zero(chunk), values(chunk * columns);
    std::vector<uint8_t> codes(chunk * columns);
    std::vector<double> total(columns, 0);
    for (int64_t first = 0; first < rows; first += chunk) {
        checkStop(stop);
        const int64_t count = std::min(chunk, rows - first);
        const float* w = weight + first * columns;
        kernels::findGrid(w, count, columns, columns, nullptr,
                          {recipe.bits, kRankingSteps, recipe.symmetric, recipe.searchGrid}, scale.data(), zero.data(), stop);
        checkStop(stop);
        kernels::roundToGrid(w, count, columns, columns, scale.data(), zero.data(), recipe.bits, codes.data(), values.data());
        kernels::parallelFor(columns, kColumnsAtOnce, [&](int64_t begin, int64_t end) {
            for (int64_t r = 0; r < count; r++) {
                for (int64_t c = begin; c < end; c++) {
                    const float d = w[r * columns + c] - values[r * columns + c];
                    total[c] += double(d) * d;
                }
            }
        });
    }
    return {total.begin(), total.end()};
}

std::vector<float> metricValues(const LinearStatistics& statistics, const float* weight, int64_t rows, int64_t columns,
                                WeakMetric metric) {
    switch (metric) {
        case WeakMetric::sensitivity: return statistics.sensitivity;
        case WeakMetric::hessian: return statistics.hessianDiagonal;
        case WeakMetric::weightError: return statistics.columnError;
        case WeakMetric::weightMagnitude: break;
    }
    std::vector<double> sum(columns, 0);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) sum[c] += std::abs(double(weight[r * columns + c]));
    return {sum.begin(), sum.end()};
}

}  // namespace

LinearStatistics analyzeLinear(const float* weight, int64_t rows, int64_t columns, const float* hessianDiagonal,
                               const LinearRecipe& recipe, std::stop_token stop) {
    LinearStatistics result;
    if (rows <= 0 || columns <= 0) return result;
    result.columnMin.assign(weight, weight + columns);
    result.columnMax = result.columnMin;
    kernels::parallelFor(columns, kColumnsAtOnce, [&](int64_t begin, int64_t end) {
        for (int64_t r = 1; r < rows; r++) {
            for (int64_t c = begin; c < end; c++) {
                result.columnMin[c] = std::min(result.columnMin[c], weight[r * columns + c]);
                result.columnMax[c] = std::max(result.columnMax[c], weight[r * columns + c]);
            }
        }
    });
    result.columnError = columnErrors(weight, rows, columns, recipe, stop);
    if (hessianDiagonal) {
        result.hessianDiagonal.assign(hessianDiagonal, hessianDiagonal + columns);
        result.sensitivity.resize(columns);
        for (int64_t c = 0; c < columns; c++) result.sensitivity[c] = hessianDiagonal[c] * result.columnError[c];
    }
    return result;
}

std::vector<int32_t> rankColumns(const LinearStatistics& statistics, const float* weight, int64_t rows, int64_t columns,
                                 WeakMetric metric) {
    const std::vector<float> value = metricValues(statistics, weight, rows, columns, metric);
    if (int64_t(value.size()) != columns)
        throw Error("the weak column metric \"" + metricName(metric) + "\" needs what was not computed", {},
                    "Give the Hessian of this linear, or choose weight-error or weight-magnitude");
    std::vector<int32_t> order(columns);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return value[a] > value[b]; });
    return order;
}

}  // namespace owq
