// SPDX-License-Identifier: Apache-2.0
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/memory.h"
#include "core/calibrate/block_runner.h"
#include "core/calibrate/hessian.h"
#include "core/pipeline/damage_probe.h"
#include "core/pipeline/linear_recipe.h"
#include "core/pipeline/quantize_model.h"
#include "core/quantize/quantize_tensor.h"

namespace owq {
namespace {

constexpr int kLargestTried = 4;  ///< bits: what a finer rounding does drowns in the rounding of floats

struct Tried {
    PredictedLoss loss;     ///< columns: H_jj ‖ΔW_:,j‖² so far
    double rounded = 0;     ///< of it, the part of the columns that were rounded
};

/// Quantizes one linear as the run will, were its inputs the original's, and shows what comes of it to the probe.
Tried tryLinear(const PipelineInput& input, const Block& block, const LinearInfo& l, LinearBudget budget, const at::Tensor& hessian,
                DamageProbe& probe, const std::stop_token& stop) {
    const at::Tensor weight = block.linear(l.name).weight();
    const std::vector<int> widths = candidateWidths(budget.bits);
    budget.bits = std::min(budget.bits, std::max(kLargestTried, widths.front()));
    LinearRecipe recipe = linearRecipe(input.recipe, budget, l.dtype);
    recipe.refinePasses = 0;  // it lowers every loss by about as much, and takes the longest
    const LinearOutcome outcome = quantizeLinear(hostDevice(), weight, hessian, recipe, stop);
    std::vector<float> harm = outcome.statistics.sensitivity;
    Tried tried{{l.name, {{budget.bits, harm}}}, 0};
    for (const int32_t c : outcome.weight.weakColumns) harm[size_t(c)] = 0;
    for (const float h : harm) tried.rounded += h;
    for (const int bits : widths) {
        if (bits == budget.bits) continue;
        recipe.bits = bits;
        tried.loss.columns[bits] =
            analyzeLinear(hostDevice(), weight, outcome.statistics.hessianDiagonal.data(), recipe, stop).sensitivity;
    }
    Block changed = block;
    changed.linear(l.name).setWeight(outcome.weight);
    probe.begin(changed, stop);
    return tried;
}

}  // namespace

std::vector<PredictedLoss> predictLosses(const PipelineInput& input, Progress& progress, std::stop_token stop) {
    const c10::InferenceMode inference;
    if (!input.windows) throw Error("greedy allocation needs calibration data", "calibration", "Give a calibration text or tokens");
    const LanguageModel model(input.model);
    const int blocks = model.info().blocks;
    progress.report("Embedding the calibration windows", "", 0);
    BlockRunner runner(model, *input.windows, 0, input.scratch);
    DamageProbe probe(model, *input.windows, openCount(input.plan), input.scratch);
    std::vector<Tried> all;
    for (int b = 0; b < blocks; ++b) {
        checkStop(stop);
        const Block block = model.loadBlock(b);
        const std::string name = "block " + std::to_string(b + 1);
        const auto report = [&](const std::string& phase, const std::string& item, double share) {
            progress.report(phase, item, 0.95 * (b + share) / blocks);
        };
        std::set<std::string> open;  // groups whose Hessian is needed
        for (const LinearInfo& l : block.linears())
            if (const LinearBudget* budget = input.plan.find(l.name); budget && isOpen(*budget)) open.insert(l.inputGroup);
        HessianSet sums;
        runner.advance(
            block, stop, [&](double f) { report("Collecting Hessians", name, 0.5 * f); },
            [&](const std::string& group, const at::Tensor& x) {
                if (open.contains(group)) sums.add(group, x);
            });
        returnFreeMemory();
        const std::map<std::string, at::Tensor> hessians = sums.finish(runner.windows());
        double done = 0;
        for (const LinearInfo& l : block.linears()) {
            const LinearBudget* budget = input.plan.find(l.name);
            if (!budget || !isOpen(*budget)) continue;
            checkStop(stop);
            report("Trying each linear", l.name, 0.5 + 0.4 * done++ / double(block.linears().size()));
            try {
                if (!hessians.at(l.inputGroup).diagonal().isfinite().all().item<bool>())
                    throw Error("its inputs are not finite in calibration, so nothing can be predicted for it", {},
                                "Look for overflow in a 16-bit model or damaged embeddings, take other texts, or use --allocation paper");
                all.push_back(tryLinear(input, block, l, *budget, hessians.at(l.inputGroup), probe, stop));
            } catch (const Error& e) {
                throw inLinear(l.name, e);
            }
            returnFreeMemory();
        }
        report("Following the effects", name, 0.9);
        probe.advance(block, stop);
    }
    progress.report("Comparing predictions", "", 0.95);
    const std::vector<double> divergence = probe.divergences(stop);
    std::vector<PredictedLoss> losses;
    for (size_t i = 0; i < all.size(); ++i) {
        if (!std::isfinite(divergence[i]))
            throw Error("the model's outputs are not finite once this linear is quantized", all[i].loss.name, "Use --allocation paper");
        const float worth = all[i].rounded > 0 ? float(std::max(0.0, divergence[i]) / all[i].rounded) : 0;
        for (auto& [bits, columns] : all[i].loss.columns)
            for (float& c : columns) c *= worth;
        losses.push_back(std::move(all[i].loss));
    }
    progress.report("Chosen", "", 1);
    return losses;
}

}  // namespace owq
