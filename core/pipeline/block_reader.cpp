// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/block_reader.h"

#include <c10/core/InferenceMode.h>

#include <chrono>

#include "core/base/progress.h"

namespace owq {

BlockReader::~BlockReader() {
    abandoned_.request_stop();
    if (ahead_.valid()) ahead_.wait();
}

Block BlockReader::read(int index, const std::stop_token& stop) const {
    std::optional<Block> block;
    device_.runAside([&] { block.emplace(model_.loadBlock(index, device_, stop)); });
    return std::move(*block);
}

Block BlockReader::next(const std::stop_token& stop) {
    if (ahead_.valid())
        while (ahead_.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) checkStop(stop);
    Block block = ahead_.valid() ? ahead_.get() : read(index_, stop);
    if (++index_ < model_.info().blocks && !device_.isHost())
        ahead_ = std::async(std::launch::async, [this, index = index_] {
            const c10::InferenceMode guard;  // of this thread
            return read(index, abandoned_.get_token());
        });
    return block;
}

}  // namespace owq
