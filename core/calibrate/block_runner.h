// SPDX-License-Identifier: Apache-2.0
// Private to core sources. Carries the activations of all calibration windows from block to block.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "core/calibrate/scratch_tensor.h"
#include "core/model/language_model.h"
#include "core/text/corpus.h"

namespace owq {

class BlockRunner {
public:
    /// Called after each batch with the share of windows done, 0…1.
    using OnBatch = std::function<void(double fraction)>;

    /// Embeds every window. batch: windows per forward pass, 0: windowsPerPass. The activations lie in a file of `scratch`, where that
    /// is given, else with the device, or in host memory where they are `apart`. Blocks must be the device's.
    BlockRunner(const LanguageModel& model, const TokenWindows& windows, int64_t batch = 0, const std::filesystem::path& scratch = {},
                const Device& device = hostDevice(), bool apart = false);

    /// So many that a pass has about as many tokens as the device wants.
    static int64_t windowsPerPass(int64_t length, const Device& device = hostDevice());

    int64_t windows() const { return hidden_.size(0); }
    int64_t tokens() const { return hidden_.size(0) * hidden_.size(1); }
    /// [windows, length, H] fp32: the input of the next block.
    const at::Tensor& hidden() const { return hidden_; }

    /// Shows the block's inputs to the observer and keeps the activations as they are. Ends each pass after
    /// `lastGroup` (empty: the last).
    void observe(const Block& block, const InputObserver& observer, std::stop_token stop = {},
                 const OnBatch& onBatch = {}, const std::string& lastGroup = {}) const;
    /// The same for two states of one model in step: `other` runs through `otherBlock`, and the observer gets both inputs of a group.
    using PairObserver = std::function<void(const std::string& group, const at::Tensor& x, const at::Tensor& other)>;
    void observePair(const Block& block, const BlockRunner& other, const Block& otherBlock, const PairObserver& observer,
                     std::stop_token stop = {}, const OnBatch& onBatch = {}, const std::string& lastGroup = {}) const;
    /// Replaces the activations by the block's outputs, showing its inputs on the way. Cancelled leaves them unusable.
    void advance(const Block& block, std::stop_token stop = {}, const OnBatch& onBatch = {},
                 const InputObserver& observer = {});

private:
    /// Windows i… where blocks can have them.
    at::Tensor part(int64_t i, int64_t count) const { return hidden_.narrow(0, i, count).to(device_.place()); }

    const Device& device_;
    ScratchTensor store_;
    at::Tensor hidden_;  ///< all of it
    int64_t batch_ = 1;
};

}  // namespace owq
