// SPDX-License-Identifier: Apache-2.0
// What is known of a linear before it is quantized, and which of its columns are weak (paper Eq. 6, Table 7).
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/quantize/quantize_tensor.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr int kRankingSteps = 40;
constexpr int64_t kColumnsAtOnce = 64;

/// Σ (w - q)² by column.
std::vector<float> columnErrors(const Device& device, const at::Tensor& weight, const LinearRecipe& recipe, const std::stop_token& stop) {
    const int64_t rows = weight.size(0), columns = weight.size(1);
    const int64_t chunk = std::clamp<int64_t>((device.isHost() ? 1 << 20 : 1 << 25) / columns, 1, rows);
    const at::TensorOptions floats = device.options(at::kFloat);
    const at::Tensor scale = at::empty({chunk}, floats), zero = at::empty({chunk}, floats), values = at::empty({chunk, columns}, floats);
    const at::Tensor codes = at::empty({chunk, columns}, device.options(at::kByte));
    const at::Tensor total = at::zeros({columns}, device.options(at::kDouble));
    for (int64_t first = 0; first < rows; first += chunk) {
        checkStop(stop);
        const int64_t count = std::min(chunk, rows - first);
        const at::Tensor w = weight.slice(0, first, first + count), s = scale.slice(0, 0, count), z = zero.slice(0, 0, count),
                         q = values.slice(0, 0, count);
        device.findGrid(w, {}, {recipe.bits, kRankingSteps, recipe.symmetric, recipe.searchGrid}, s, z, stop);
        device.roundToGrid(w, s, z, recipe.bits, codes.slice(0, 0, count), q);
        device.addSquaredDifferences(w, q, total);
    }
    return floatsOf(total);
}

void columnRanges(const Device& device, const at::Tensor& weight, std::vector<float>& least, std::vector<float>& most) {
    if (!device.isHost()) {
        least = floatsOf(weight.amin(0));
        most = floatsOf(weight.amax(0));
        return;
    }
    const int64_t rows = weight.size(0), columns = weight.size(1);
    const float* const w = weight.const_data_ptr<float>();
    least.assign(w, w + columns);
    most = least;
    kernels::parallelFor(columns, kColumnsAtOnce, [&](int64_t begin, int64_t end) {
        for (int64_t r = 1; r < rows; r++) {
            for (int64_t c = begin; c < end; c++) {
                least[c] = std::min(least[c], w[r * columns + c]);
                most[c] = std::max(most[c], w[r * columns + c]);
            }
        }
    });
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

std::vector<float> floatsOf(const at::Tensor& values) {
    const at::Tensor host = values.to(at::kFloat).cpu().contiguous();
    return {host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel()};
}

LinearStatistics analyzeLinear(const Device& device, const at::Tensor& weight, const float* hessianDiagonal,
                               const LinearRecipe& recipe, const std::stop_token& stop) {
    const int64_t columns = weight.size(1);
    LinearStatistics result;
    columnRanges(device, weight, result.columnMin, result.columnMax);
    result.columnError = columnErrors(device, weight, recipe, stop);
    if (hessianDiagonal) {
        result.hessianDiagonal.assign(hessianDiagonal, hessianDiagonal + columns);
        result.sensitivity.resize(columns);
        for (int64_t c = 0; c < columns; c++) result.sensitivity[c] = hessianDiagonal[c] * result.columnError[c];
    }
    return result;
}

LinearStatistics analyzeLinear(const float* weight, int64_t rows, int64_t columns, const float* hessianDiagonal,
                               const LinearRecipe& recipe, std::stop_token stop) {
    if (rows <= 0 || columns <= 0) return {};
    return analyzeLinear(hostDevice(), at::from_blob(const_cast<float*>(weight), {rows, columns}, at::kFloat), hessianDiagonal, recipe, stop);
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
