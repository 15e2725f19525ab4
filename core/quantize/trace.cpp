// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/trace.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/device/device.h"
#include "core/quantize/factor.h"
#include "core/quantize/quantize_tensor.h"

namespace owq {
namespace {

/// Columns of a host matrix in another order; a copy.
at::Tensor reordered(const float* values, int64_t rows, int64_t columns, const at::Tensor& order) {
    return at::from_blob(const_cast<float*>(values), {rows, columns}, at::kFloat).index_select(1, order);
}

void check(const float* hessian, const LinearRecipe& recipe) {
    const bool plainLoop = hessian && recipe.method != Method::rtn && recipe.searchGrid && !recipe.eitherGrid && !recipe.symmetric &&
                           !recipe.groupSize && !recipe.refinePasses && recipe.scaleType == DType::f32;
    if (!plainLoop) throw Error("only one column loop over searched grids per row can be followed step by step");
}

/// The loop of core/quantize/column_loop.cpp, a column at a time.
void replay(ColumnTrace& trace, const at::Tensor& weight, const Factor& factor, int bits, const std::stop_token& stop) {
    const Device& device = hostDevice();
    const QuantizedLinear& linear = trace.outcome.weight;
    const int64_t rows = trace.rows, columns = trace.columns, kept = columns - int64_t(linear.weakColumns.size());
    const auto perRow = [rows](const std::vector<float>& values) {
        return at::from_blob(const_cast<float*>(values.data()), {rows, 1}, at::kFloat);
    };
    const at::Tensor grid = at::zeros({1}, at::kInt);
    for (int64_t j = 0; j < kept; j++) {
        checkStop(stop);
        TraceStep step;
        step.before = floatsOf(weight);
        const at::Tensor row = factor.unit.slice(0, j, j + 1), column = weight.slice(1, j, j + 1);
        const at::Tensor error = at::empty({rows, 1}, at::kFloat), codes = at::empty({rows, 1}, at::kByte),
                         loss = at::zeros({1}, at::kDouble);
        device.quantizeBlock({.w = column,
                              .original = {},
                              .factor = row.slice(1, j, j + 1),
                              .pivot = factor.pivot.slice(0, j, j + 1),
                              .scale = perRow(linear.scale),
                              .zero = perRow(linear.zero),
                              .grid = grid,
                              .bits = bits,
                              .error = error,
                              .codes = codes,
                              .loss = loss});
        if (j + 1 < columns) device.addProduct(weight.slice(1, j + 1, columns), error, row.slice(1, j + 1, columns), -1, stop);
        step.codes.assign(codes.const_data_ptr<uint8_t>(), codes.const_data_ptr<uint8_t>() + rows);
        step.rounded = floatsOf(column);
        step.error = floatsOf(error);
        step.loss = loss.item<double>();
        trace.steps.push_back(std::move(step));
    }
    trace.last = floatsOf(weight);
}

}  // namespace

GridTable gridTable(const float* values, const uint8_t* excluded, int64_t columns, int bits) {
    GridTable table;
    table.levels = (1 << bits) - 1;
    std::vector<float> x;
    float low = 0, high = 0;
    for (int64_t c = 0; c < columns; c++) {
        if (excluded && excluded[c]) continue;
        x.push_back(values[c]);
        low = std::min(low, values[c]);
        high = std::max(high, values[c]);
    }
    table.range = high - low;
    const float levels = float(table.levels);
    table.error.reserve(size_t(table.steps) * size_t(table.levels + 1));
    double least = INFINITY;
    for (int i = 1; i <= table.steps; i++) {
        const float size = table.stepSize(i);
        for (int z = 0; z <= table.levels; z++) {
            double sum = 0;
            for (const float v : x) {
                const float code = std::clamp(std::nearbyint(v / size) + float(z), 0.f, levels);
                sum += std::pow(double(std::abs(size * (code - float(z)) - v)), 2.4);
            }
            const double error = x.empty() ? 0 : sum / double(x.size());
            table.error.push_back(error);
            if (error < least) least = error, table.step = i, table.zero = z;
        }
    }
    return table;
}

double outputError(const std::vector<float>& change, const std::vector<float>& hessian, int64_t columns) {
    double sum = 0;
    for (size_t row = 0; row < change.size(); row += size_t(columns))
        for (int64_t i = 0; i < columns; i++) {
            double product = 0;
            for (int64_t k = 0; k < columns; k++) product += double(hessian[size_t(i * columns + k)]) * change[row + size_t(k)];
            sum += product * change[row + size_t(i)];
        }
    return sum / 2;
}

ColumnTrace traceColumns(const float* weight, int64_t rows, int64_t columns, const float* hessian, const LinearRecipe& recipe,
                         std::stop_token stop) {
    const c10::InferenceMode withoutGradients;
    check(hessian, recipe);
    ColumnTrace trace;
    trace.rows = rows;
    trace.columns = columns;
    trace.outcome = quantizeLinear(weight, rows, columns, hessian, recipe, stop);
    std::vector<int64_t> places(trace.outcome.statistics.order.begin(), trace.outcome.statistics.order.end());
    const at::Tensor order = at::from_blob(places.data(), {columns}, at::kLong);
    const at::Tensor damped = reordered(hessian, columns, columns, order).index_select(0, order).to(at::kDouble);
    damped.diagonal().add_(trace.outcome.damping * damped.diagonal().mean().item<double>());
    trace.hessian = floatsOf(damped);
    const std::optional<Factor> factor = factorize(hostDevice(), damped.flip({0, 1}).contiguous(), true, stop);
    if (!factor)
        throw Error("the Hessian of these columns cannot be factored", {}, "Give more, or more varied, calibration text");
    trace.factor = floatsOf(factor->unit);

    std::vector<uint8_t> isWeak(size_t(columns), 0);
    for (const int32_t c : trace.outcome.weight.weakColumns) isWeak[size_t(c)] = 1;
    for (int64_t r = 0; r < rows; r++) trace.grids.push_back(gridTable(weight + r * columns, isWeak.data(), columns, recipe.bits));

    const at::Tensor moving = reordered(weight, rows, columns, order);
    const std::vector<float> original = floatsOf(moving);
    replay(trace, moving, *factor, recipe.bits, stop);
    std::vector<float> change(original);
    for (size_t i = 0; i < change.size(); i++) change[i] -= trace.last[i];
    trace.outputError = outputError(change, trace.hessian, columns);
    return trace;
}

}  // namespace owq
