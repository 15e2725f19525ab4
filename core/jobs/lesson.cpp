// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/lesson.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/calibrate/block_runner.h"
#include "core/calibrate/hessian.h"
#include "core/jobs/run_description.h"
#include "core/pipeline/linear_recipe.h"
#include "core/quantize/quantize_tensor.h"

namespace owq {
namespace {

constexpr double kOrdinary = 4;  ///< a channel's diagonal is at most so many times the median

using Inputs = std::vector<at::Tensor>;  ///< fp32 [tokens, columns], one of each pass

LinearRecipe recipeFor(const LinearInfo& linear, int bits, int64_t weakColumns) {
    LinearRecipe recipe;
    recipe.method = weakColumns ? Method::owq : Method::optq;
    recipe.bits = bits;
    recipe.weakColumns = weakColumns;
    recipe.storedType = linear.dtype;
    return recipe;
}

std::vector<float> diagonalOf(const Inputs& inputs, int64_t windows) {
    at::Tensor sum = at::zeros({inputs.front().size(1)}, at::kDouble);
    for (const at::Tensor& x : inputs) sum.add_(at::sum(x.square(), {0}, false, at::kDouble));
    return floatsOf(sum.mul_(2.0 / double(windows)));
}

int32_t mostSensitive(const LinearStatistics& statistics) {
    return int32_t(std::max_element(statistics.sensitivity.begin(), statistics.sensitivity.end()) - statistics.sensitivity.begin());
}

/// Ascending.
std::vector<int32_t> chooseColumns(const LinearStatistics& statistics, const Inputs& inputs, int64_t count) {
    const std::vector<float>& diagonal = statistics.hessianDiagonal;
    const int32_t chosen = mostSensitive(statistics);
    std::vector<float> alive;
    for (const float d : diagonal)
        if (d > 0) alive.push_back(d);
    if (alive.size() < 2 || !(diagonal[size_t(chosen)] > 0))
        throw Error("its inputs were always 0 on the calibration text", {}, "Give another text, or choose another linear");
    std::nth_element(alive.begin(), alive.begin() + int64_t(alive.size()) / 2, alive.end());
    const double limit = kOrdinary * alive[alive.size() / 2];

    at::Tensor together = at::zeros({int64_t(diagonal.size())}, at::kFloat);
    for (const at::Tensor& x : inputs) together.add_(at::mv(x.t(), x.select(1, chosen)));
    const std::vector<float> product = floatsOf(together);
    std::vector<double> rank(diagonal.size(), -1);  // of outliers below 0, so that they come last
    std::vector<int32_t> order;
    for (size_t c = 0; c < diagonal.size(); c++) {
        if (int32_t(c) == chosen || !(diagonal[c] > 0)) continue;
        const double correlation = std::abs(product[c]) / std::sqrt(double(diagonal[c]));
        rank[c] = diagonal[c] <= limit ? correlation : -1 / (1 + correlation);
        order.push_back(int32_t(c));
    }
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return rank[size_t(a)] > rank[size_t(b)]; });
    order.resize(size_t(std::clamp<int64_t>(count - 1, 1, int64_t(order.size()))));
    order.push_back(chosen);
    std::sort(order.begin(), order.end());
    return order;
}

std::vector<int32_t> chooseRows(int64_t rows, int64_t count) {
    count = std::clamp<int64_t>(count, 1, rows);
    std::vector<int32_t> chosen;
    for (int64_t i = 0; i < count; i++) chosen.push_back(int32_t((2 * i + 1) * rows / (2 * count)));
    return chosen;
}

at::Tensor indices(const std::vector<int32_t>& values) {
    return at::from_blob(const_cast<int32_t*>(values.data()), {int64_t(values.size())}, at::kInt).to(at::kLong);
}

void takePiece(LessonResult& result, const at::Tensor& weight, const Inputs& inputs, const std::stop_token& stop) {
    const int64_t rows = int64_t(result.rows.size()), columns = int64_t(result.columns.size());
    const at::Tensor which = indices(result.columns);
    result.weight = floatsOf(weight.index_select(0, indices(result.rows)).index_select(1, which));
    Hessian sum(columns);
    for (const at::Tensor& x : inputs) sum.add(x.index_select(1, which));
    result.hessian = floatsOf(sum.finish(result.windows));

    const auto trace = [&](int64_t weakColumns) {
        return traceColumns(result.weight.data(), rows, columns, result.hessian.data(),
                            recipeFor(result.linear, result.bits, weakColumns), stop);
    };
    result.all = trace(0);
    result.kept = trace(1);
    LinearRecipe plain = recipeFor(result.linear, result.bits, 0);
    plain.method = Method::rtn;
    const LinearOutcome rounded = quantizeLinear(result.weight.data(), rows, columns, result.hessian.data(), plain, stop);
    result.plain = dequantize(rounded.weight);
    std::vector<float> change(result.weight);
    for (size_t i = 0; i < change.size(); i++) change[i] -= result.plain[i];
    result.plainError = outputError(change, result.all.hessian, columns);  // whose order is the natural one
}

Json loopJson(const ColumnTrace& trace) {
    Json grids = Json::array(), steps = Json::array();
    for (size_t r = 0; r < trace.grids.size(); r++) {
        const GridTable& g = trace.grids[r];
        grids.push_back({{"range", g.range}, {"step", g.step}, {"step_size", g.stepSize(g.step)}, {"error", g.at(g.step, g.zero)},
                         {"scale", trace.outcome.weight.scale[r]}, {"zero", trace.outcome.weight.zero[r]}});
    }
    for (size_t j = 0; j < trace.steps.size(); j++) {
        const TraceStep& s = trace.steps[j];
        steps.push_back({{"column", trace.outcome.statistics.order[j]}, {"weights", s.before}, {"codes", s.codes}, {"rounded", s.rounded},
                         {"error", s.error}, {"loss", s.loss}});
    }
    return {{"order", trace.outcome.statistics.order}, {"weak_columns", trace.outcome.weight.weakColumns}, {"damping", trace.outcome.damping},
            {"factor", trace.factor}, {"grids", std::move(grids)}, {"steps", std::move(steps)}, {"last", trace.last},
            {"output_error", trace.outputError}};
}

}  // namespace

LessonResult lesson(const LessonOptions& options, Progress& progress, std::stop_token stop) {
    const auto start = std::chrono::steady_clock::now();
    const c10::InferenceMode withoutGradients;
    const std::shared_ptr<const ModelSource> source = ModelSource::open(options.model);
    if (source->kind() != ModelKind::checkpoint)
        throw Error("is already quantized", options.model.string(), "The lesson needs the original checkpoint");
    const ModelInfo& info = source->info();
    const LinearInfo* const wanted = options.linear.empty() && !info.linears.empty() ? &info.linears.front() : info.find(options.linear);
    if (!wanted)
        throw Error("there is no linear " + options.linear, options.model.string(), "owq inspect lists the names");
    progress.report("Reading the calibration text", "", 0);
    CalibrationOptions calibration = options.calibration;
    if (info.maxPositions > 0 && calibration.sequenceLength > info.maxPositions) calibration.sequenceLength = info.maxPositions;
    TokenWindows windows = loadCalibration(calibration, *source);
    // A token file gives all of its windows, and all inputs of a block are held at once.
    windows.ids.resize(size_t(std::min(windows.count(), std::max<int64_t>(1, calibration.samples)) * windows.length));

    LessonResult result;
    result.bits = options.bits;
    result.windows = windows.count();
    result.tokens = int64_t(windows.ids.size());
    result.warnings = windows.warnings;
    const LanguageModel model(source);
    const int last = wanted->block;
    const std::string group = wanted->inputGroup;
    result.linear = *wanted;
    const auto share = [&](const char* phase, int b, double done) {
        progress.report(phase, "block " + std::to_string(b + 1), 0.9 * (b + done) / (last + 1));
    };
    BlockRunner runner(model, windows);
    for (int b = 0; b < last; b++) {
        checkStop(stop);
        runner.advance(model.loadBlock(b, hostDevice(), stop), stop, [&](double f) { share("Passing through earlier blocks", b, f); });
    }
    checkStop(stop);
    const Block block = model.loadBlock(last, hostDevice(), stop);
    Inputs inputs;
    runner.observe(
        block,
        [&](const std::string& seen, const at::Tensor& x) {
            if (seen == group) inputs.push_back(x);
        },
        stop, [&](double f) { share("Measuring inputs", last, f); }, group);

    progress.report("Ranking columns", result.linear.name, 0.9);
    const std::vector<float> diagonal = diagonalOf(inputs, result.windows);
    const at::Tensor weight = block.linear(result.linear.name).weight();
    try {
        result.statistics = analyzeLinear(hostDevice(), weight, diagonal.data(), recipeFor(result.linear, options.bits, 0), stop);
        result.statistics.tokens = result.tokens;
        result.columns = chooseColumns(result.statistics, inputs, options.columns);
        result.rows = chooseRows(result.linear.rows, options.rows);
        takePiece(result, weight, inputs, stop);
    } catch (const Error& e) {
        throw inLinear(result.linear.name, e);
    }
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress.report("The lesson is ready", "", 1);
    return result;
}

Json toJson(const LessonResult& r) {
    return {{"kind", "lesson"}, {"layer", r.linear.name}, {"bits", r.bits}, {"tokens", r.tokens}, {"windows", r.windows},
            {"warnings", r.warnings}, {"rows", r.rows}, {"columns", r.columns}, {"weight", r.weight}, {"hessian", r.hessian},
            {"sensitivity", r.kept.outcome.statistics.sensitivity}, {"plain", r.plain}, {"plain_error", r.plainError},
            {"all", loopJson(r.all)}, {"kept", loopJson(r.kept)}, {"seconds", r.seconds}};
}

}  // namespace owq
