// SPDX-License-Identifier: Apache-2.0
// Where a quantized model's damage enters, and where it is felt.
#pragma once
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/evaluate/perplexity.h"

namespace owq {

/// How far an output y is from the original's y₀, over all tokens.
struct OutputError {
    double relative = 0;  ///< ‖y - y₀‖² / ‖y₀‖²
    double cosine = 1;    ///< y·y₀ / (‖y‖ ‖y₀‖)
};

struct LayerError {
    std::string name;   ///< of a linear, or "block N" (from 1) for the hidden states behind a block
    int block = 0;
    OutputError local;  ///< with the original's own inputs: what this linear, or this block, adds
    OutputError felt;   ///< with the inputs that the model really has: what all before it adds, too
};

/// Both models run over the same windows, block by block; each block's linears in the order of a pass, then the block. Weights fp32, sums
/// fp64. progress: fraction 0…1 and the block under work. Throws Error (different shapes, what perplexity throws) and Cancelled.
std::vector<LayerError> layerErrors(const std::shared_ptr<const ModelSource>& model, const std::shared_ptr<const ModelSource>& original,
                                    const TokenWindows& windows, std::stop_token stop = {},
                                    const std::function<void(double fraction, int block)>& progress = {});

}  // namespace owq
