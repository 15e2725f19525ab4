// SPDX-License-Identifier: Apache-2.0
#include "core/calibrate/block_runner.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/torch_tensor.h"

namespace owq {
namespace {

std::array<int64_t, 3> shapeOf(const TokenWindows& windows, const LanguageModel& model) {
    if (windows.count() < 1) throw Error("there are no token windows to run through the model");
    return {windows.count(), windows.length, model.info().hidden};
}

}  // namespace

int64_t BlockRunner::windowsPerPass(int64_t length, const Device& device) { return std::max<int64_t>(1, device.tokensPerPass() / length); }

BlockRunner::BlockRunner(const LanguageModel& model, const TokenWindows& windows, int64_t batch,
                         const std::filesystem::path& scratch, const Device& device, bool apart)
    : device_(device), store_(shapeOf(windows, model), scratch, apart ? at::Device(at::kCPU) : device.place()), hidden_(store_.values()) {
    const at::NoGradGuard guard;
    batch_ = batch > 0 ? batch : windowsPerPass(windows.length, device);
    for (int64_t i = 0; i < windows.count(); ++i) {
        hidden_.narrow(0, i, 1).copy_(model.embed(idTensor(windows.window(i), 1, windows.length)));
        store_.release();
    }
    model.releaseEmbedding();
}

void BlockRunner::observe(const Block& block, const InputObserver& observer, std::stop_token stop,
                          const OnBatch& onBatch, const std::string& lastGroup) const {
    const at::NoGradGuard guard;
    for (int64_t i = 0; i < windows(); i += batch_) {
        checkStop(stop);
        const int64_t count = std::min(batch_, windows() - i);
        block.observe(part(i, count), observer, lastGroup);
        store_.release();
        if (onBatch) onBatch(double(i + count) / double(windows()));
    }
}

void BlockRunner::observePair(const Block& block, const BlockRunner& other, const Block& otherBlock,
                              const PairObserver& observer, std::stop_token stop, const OnBatch& onBatch,
                              const std::string& lastGroup) const {
    const at::NoGradGuard guard;
    for (int64_t i = 0; i < windows(); i += batch_) {
        checkStop(stop);
        const int64_t count = std::min(batch_, windows() - i);
        std::map<std::string, at::Tensor> theirs;
        otherBlock.observe(
            other.part(i, count),
            [&](const std::string& group, const at::Tensor& x) { theirs[group] = x; }, lastGroup);
        block.observe(
            part(i, count),
            [&](const std::string& group, const at::Tensor& x) { observer(group, x, theirs.at(group)); },
            lastGroup);
        other.store_.release();
        store_.release();
        if (onBatch) onBatch(double(i + count) / double(windows()));
    }
}

void BlockRunner::advance(const Block& block, std::stop_token stop, const OnBatch& onBatch,
                          const InputObserver& observer) {
    const at::NoGradGuard guard;
    for (int64_t i = 0; i < windows(); i += batch_) {
        checkStop(stop);
        const int64_t count = std::min(batch_, windows() - i);
        hidden_.narrow(0, i, count).copy_(block.forward(part(i, count), observer));
        store_.release();
        if (onBatch) onBatch(double(i + count) / double(windows()));
    }
}

}  // namespace owq
