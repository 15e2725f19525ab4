// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/mul.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <functional>
#include <map>

#include "core/calibrate/block_runner.h"
#include "core/pipeline/linear_recipe.h"
#include "core/pipeline/quantize_model.h"

namespace owq {
namespace {

/// A linear that the plan quantizes, its weight and the diagonal of its Hessian.
struct Measured {
    const LinearInfo& linear;
    const LinearBudget& budget;
    const float* weight;
    const float* diagonal;
    int64_t tokens;
};

/// One pass of the calibration windows through the unquantized model.
void measure(const PipelineInput& input, const std::function<void(const Measured&)>& each, Progress& progress, std::stop_token stop) {
    const c10::InferenceMode inference;
    if (!input.windows) throw Error("an analysis needs calibration data", "calibration", "Give a calibration text or tokens");
    const LanguageModel model(input.model);
    const int blocks = model.info().blocks;
    progress.report("Embedding the calibration windows", "", 0);
    BlockRunner runner(model, *input.windows, 0, input.scratch);
    for (int b = 0; b < blocks; ++b) {
        checkStop(stop);
        const Block block = model.loadBlock(b);
        const std::string name = "block " + std::to_string(b + 1);
        auto report = [&](const std::string& phase, const std::string& item, double share) {
            progress.report(phase, item, (b + share) / blocks);
        };
        // Only the diagonal is wanted: sums of squares, in double because they run over all tokens.
        std::map<std::string, at::Tensor> squares;
        runner.advance(
            block, stop, [&](double f) { report("Measuring inputs", name, 0.9 * f); },
            [&](const std::string& group, const at::Tensor& x) {
                at::Tensor sum = at::sum(x.square(), {0}, false, at::kDouble);
                auto [it, first] = squares.emplace(group, sum);
                if (!first) it->second.add_(sum);
            });
        for (const LinearInfo& l : block.linears()) {
            checkStop(stop);
            const LinearBudget* budget = input.plan.find(l.name);
            if (!budget || budget->bits >= 16) continue;
            report("Ranking columns", l.name, 0.9);
            const at::Tensor diagonal = squares.at(l.inputGroup).mul(2.0 / double(runner.windows())).to(at::kFloat).contiguous();
            const at::Tensor weight = block.linear(l.name).weight();
            each({l, *budget, weight.const_data_ptr<float>(), diagonal.const_data_ptr<float>(), runner.tokens()});
        }
    }
    progress.report("Analyzed", "", 1);
}

}  // namespace

void analyzeModel(const PipelineInput& input, const OnAnalysis& onLinear, Progress& progress, std::stop_token stop) {
    const auto each = [&](const Measured& m) {
        const LinearInfo& l = m.linear;
        LinearStatistics s = analyzeLinear(m.weight, l.rows, l.columns, m.diagonal, linearRecipe(input.recipe, m.budget, l.dtype), stop);
        s.tokens = m.tokens;
        std::vector<int32_t> weak = rankColumns(s, m.weight, l.rows, l.columns, input.recipe.metric);
        weak.resize(size_t(std::min<int64_t>(m.budget.weakColumns, l.columns)));
        std::sort(weak.begin(), weak.end());
        onLinear(l, std::move(s), std::move(weak));
    };
    measure(input, each, progress, stop);
}

std::vector<PredictedError> predictErrors(const PipelineInput& input, Progress& progress, std::stop_token stop) {
    std::vector<PredictedError> all;
    const auto each = [&](const Measured& m) {
        const LinearInfo& l = m.linear;
        PredictedError error{l.name, 0, {}};
        for (int64_t r = 0; r < l.rows; ++r)
            for (int64_t c = 0; c < l.columns; ++c) {
                const double w = m.weight[r * l.columns + c];
                error.output += m.diagonal[c] * w * w;
            }
        LinearBudget budget = m.budget;
        for (int bits : candidateWidths(m.budget.bits)) {
            budget.bits = bits;
            error.loss[bits] =
                analyzeLinear(m.weight, l.rows, l.columns, m.diagonal, linearRecipe(input.recipe, budget, l.dtype), stop).sensitivity;
        }
        all.push_back(std::move(error));
    };
    measure(input, each, progress, stop);
    return all;
}

}  // namespace owq
