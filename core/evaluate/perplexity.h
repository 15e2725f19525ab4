// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "core/model/arithmetic.h"
#include "core/model/model_source.h"
#include "core/text/corpus.h"

namespace owq {

class Device;

struct PerplexityOptions {
    uint64_t activationBytes = uint64_t(1)
                               << 30;  ///< windows whose activations fit run through the blocks together
    uint64_t logitBytes = uint64_t(64) << 20;  ///< logits held at once
    Arithmetic arithmetic = Arithmetic::dense;  ///< of the model; that of an original is always dense
    std::shared_ptr<const Device> device;       ///< what computes (core/device/open_device.h); null: the CPU
};

/// Each window is seen alone, from position 0; its first token is not scored.
struct PerplexityResult {
    std::vector<double> windowNll;  ///< mean loss of a token, natural logarithm, per window
    double perplexity = 0;          ///< exp of the mean over windows
    double nll = 0;                 ///< sum over the scored tokens
    int64_t tokens = 0;             ///< scored
};

/// Logits and losses fp32, sums fp64. progress: fraction 0…1 and the block under work (-1: the head).
/// Throws Error (a window longer than the model's positions, ids out of range, values that are not finite)
/// and Cancelled.
PerplexityResult perplexity(const std::shared_ptr<const ModelSource>& source, const TokenWindows& windows,
                            const PerplexityOptions& options = {}, std::stop_token stop = {},
                            const std::function<void(double fraction, int block)>& progress = {});

}  // namespace owq
