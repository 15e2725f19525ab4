// SPDX-License-Identifier: Apache-2.0
// Private to core sources (LibTorch types).
#pragma once
#include <future>
#include <optional>
#include <stop_token>

#include "core/device/device.h"
#include "core/model/language_model.h"

namespace owq {

/// The blocks of a model, one after the other. For a GPU a thread reads the next one and copies it there while this one is worked on;
/// on the CPU, which would only share its memory and its cores, a block is read when it is wanted.
class BlockReader {
public:
    BlockReader(const LanguageModel& model, const Device& device) : model_(model), device_(device) {}
    ~BlockReader();

    /// Throws what reading threw, and Cancelled. Device::runAside says when what it gives may be let go of.
    Block next(const std::stop_token& stop);

private:
    Block read(int index, const std::stop_token& stop) const;

    const LanguageModel& model_;
    const Device& device_;
    int index_ = 0;
    std::stop_source abandoned_;
    std::future<Block> ahead_;
};

}  // namespace owq
