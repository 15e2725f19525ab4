// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/mul.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>

#include "core/calibrate/block_runner.h"
#include "core/pipeline/linear_recipe.h"
#include "core/pipeline/quantize_model.h"

namespace owq {
void analyzeModel(const PipelineInput& input, const OnAnalysis& onLinear, Progress& progress, std::stop_token stop) {
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
            const float* const w = weight.const_data_ptr<float>();
            LinearStatistics s =
                analyzeLinear(w, l.rows, l.columns, diagonal.const_data_ptr<float>(), linearRecipe(input.recipe, *budget, l.dtype), stop);
            s.tokens = runner.tokens();
            std::vector<int32_t> weak = rankColumns(s, w, l.rows, l.columns, input.recipe.metric);
            weak.resize(size_t(std::min<int64_t>(budget->weakColumns, l.columns)));
            std::sort(weak.begin(), weak.end());
            onLinear(l, std::move(s), std::move(weak));
        }
    }
    progress.report("Analyzed", "", 1);
}

}  // namespace owq
