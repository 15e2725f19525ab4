// SPDX-License-Identifier: Apache-2.0
#include "core/tune/tuning_forecast.h"

#include <algorithm>

#include "core/tune/tuned_model.h"

namespace owq {
namespace {

constexpr uint64_t kLibraries = 96 << 20;  ///< as in core/pipeline/memory_forecast.cpp

/// Floats for a token that live at once while the widest block goes backward: what its forward pass keeps, and the gradients of one part.
uint64_t blockFloats(const ModelInfo& model, int block) {
    uint64_t heads = 0, mixed = 0, inner = 0;
    const uint64_t hidden = uint64_t(model.hidden);
    for (const LinearInfo& l : model.linears) {
        if (l.block != block) continue;
        if (l.kind == "q" || l.kind == "k" || l.kind == "v" || l.kind == "qkv") heads += uint64_t(l.rows);
        if (l.kind == "o") mixed = uint64_t(l.columns);
        if (l.kind == "gate" || l.kind == "up" || l.kind == "gate_up") inner += uint64_t(l.rows);
    }
    // Kept: q, k, v, the residual between the two parts, what goes into the feed-forward's activation. Then either the feed-forward part
    // goes backward (its activation again, its gradients) or, that being done, attention (q, k, v and its output again, their gradients).
    const uint64_t kept = heads + 3 * hidden;
    return kept + std::max(4 * inner + 2 * hidden, 2 * heads + 4 * mixed + 2 * hidden);
}

}  // namespace

TuningForecast forecastTuning(const ModelInfo& model, uint64_t packed, int64_t parameters, int64_t rows, int64_t length, bool halfInputs) {
    const uint64_t tokens = uint64_t(rows * length), hidden = uint64_t(model.hidden), vocabulary = uint64_t(model.vocabulary);
    uint64_t block = 0, linear = 0;
    for (int b = 0; b < model.blocks; ++b) block = std::max(block, blockFloats(model, b));
    for (const LinearInfo& l : model.linears) linear = std::max(linear, uint64_t(l.rows) * uint64_t(l.columns));
    const uint64_t logits = uint64_t(std::min<int64_t>(rows * length, TunedModel::rowsAtOnce(model.vocabulary))) * vocabulary;
    return {{{"packed blocks", packed},
             {"head and norms", vocabulary * hidden * byteSize(model.dtype)},
             {"inputs of blocks", uint64_t(model.blocks) * tokens * hidden * (halfInputs ? 2 : 4)},
             {"activations of one block", tokens * block * 4},
             {"weak columns, gradient and optimizer", uint64_t(parameters) * 8 * 4},
             {"logits", 2 * logits * 4},
             {"one dequantized linear", linear * 4},
             {"libraries and heap", kLibraries}}};
}

}  // namespace owq
