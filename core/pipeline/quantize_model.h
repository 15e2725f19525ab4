// SPDX-License-Identifier: Apache-2.0
// The walk through the model, block by block: calibrate, quantize, hand over, go on.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

#include "core/base/progress.h"
#include "core/budget/allocate.h"
#include "core/budget/recipe.h"
#include "core/model/model_source.h"
#include "core/pipeline/layer_sink.h"
#include "core/text/corpus.h"

namespace owq {

class Device;

struct PipelineInput {
    std::shared_ptr<const ModelSource> model;  ///< with dense linears
    const TokenWindows* windows = nullptr;     ///< may be null for rtn, which looks at weights only
    Recipe recipe;
    BudgetPlan plan;                           ///< bits and weak columns per linear; 16 bits: left as it is
    std::shared_ptr<const Device> device;      ///< what computes; null: the CPU
    bool activationsApart = false;             ///< of all windows: in host memory although a GPU computes
    std::filesystem::path scratch;             ///< folder for a scratch file with the activations; empty: they stay in memory
};

/// In the order the linears finish; `resumed`: taken from the sink, not computed.
using OnLinear = std::function<void(const LinearInfo&, const LinearOutcome&, bool resumed)>;

/// Quantizes what the sink does not have yet. Calibration inputs of a block are those of the model with all earlier blocks
/// quantized; within a block all linears see the unquantized block unless the recipe is true-sequential.
/// Throws Error naming the linear, and Cancelled: what the sink took is kept.
StageSeconds quantizeModel(const PipelineInput& input, LayerSink& sink, const OnLinear& onLinear, Progress& progress, std::stop_token stop);

/// Statistics of the unquantized model (Hessian diagonal, ranking error, sensitivity, column ranges), in the order of the model.
using OnAnalysis = std::function<void(const LinearInfo&, LinearStatistics, std::vector<int32_t> weakColumns)>;
void analyzeModel(const PipelineInput& input, const OnAnalysis& onLinear, Progress& progress, std::stop_token stop);

/// What quantizing each linear that the plan leaves open to its candidate widths does to the unquantized model. Measured for each linear
/// alone, quantized as in the plan (no finer than 4 bits, without refinement); a column's part in it, and other widths, by
/// H_jj ‖ΔW_:,j‖² (paper Eq. 6).
std::vector<PredictedLoss> predictLosses(const PipelineInput& input, Progress& progress, std::stop_token stop);

}  // namespace owq
