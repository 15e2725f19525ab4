// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/perplexity.h"

#include "core/evaluate/scoring_pass.h"

namespace owq {

PerplexityResult perplexity(const std::shared_ptr<const ModelSource>& source, const TokenWindows& windows,
                            const PerplexityOptions& options, std::stop_token stop,
                            const std::function<void(double fraction, int block)>& progress) {
    LossSum sum(windows, "the model");
    visitLogits(
        {source}, windows, options, stop,
        [&](double fraction, int, int block) {
            if (progress) progress(fraction, block);
        },
        [&](const ScoredRows& rows) { sum.add(rows, rows.logits[0]); });
    return sum.result();
}

}  // namespace owq
