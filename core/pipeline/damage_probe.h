// SPDX-License-Identifier: Apache-2.0
// Private to core sources. What one changed linear does to the predictions of the whole model, for every linear in one walk.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <vector>

#include "core/calibrate/scratch_tensor.h"
#include "core/model/language_model.h"
#include "core/text/corpus.h"

namespace owq {

/// The tokens on which each linear's damage is measured.
struct ProbeSize {
    int64_t windows = 0, length = 0;
    int64_t tokens() const { return windows * length; }
};

/// Of `windows` calibration windows of `length` tokens, shared by `linears`: together their states are about as large as the
/// activations of all windows. No fewer than 256 tokens each, for a mean to mean something, and no more than 4096, where it does.
ProbeSize probeSize(int64_t windows, int64_t length, int64_t linears);

/// Carries the hidden states of a few calibration windows through the model, and beside them, from each changed linear on, those of the
/// model that has only this one changed. All of them go on block by block, so that one block of weights is in memory at a time.
class DamageProbe {
public:
    static constexpr int64_t kLogits = 8 << 20;  ///< that are made at once, of the model and of a changed one

    /// changes: how many will be begun at most. The states lie in a file of `scratch`, where that is given.
    DamageProbe(const LanguageModel& model, const TokenWindows& windows, int64_t changes, const std::filesystem::path& scratch = {});

    /// `changed`: the block whose turn it is, with one linear changed.
    void begin(const Block& changed, const std::stop_token& stop);
    /// Through the block as it is, all that were begun in earlier blocks.
    void advance(const Block& block, const std::stop_token& stop);
    /// After the last block: KL(model ‖ changed model), nats per token, in the order they were begun.
    std::vector<double> divergences(const std::stop_token& stop) const;

private:
    void run(const Block& block, int64_t from, int64_t to, const std::stop_token& stop);

    const LanguageModel& model_;
    ProbeSize size_;
    ScratchTensor store_;
    at::Tensor states_;                       ///< [1 + changes, windows, length, H]; the first are the model's own
    int64_t begun_ = 0, waiting_ = 0;         ///< of the begun, those that begin after the block under work
};

}  // namespace owq
