// SPDX-License-Identifier: Apache-2.0
#include "core/calibrate/block_runner.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/torch_tensor.h"

namespace owq {
namespace {

constexpr int64_t kTokensPerPass = 1024;

}  // namespace

BlockRunner::BlockRunner(const LanguageModel& model, const TokenWindows& windows, int64_t batch) {
    const at::NoGradGuard guard;
    if (windows.count() < 1) throw Error("there are no token windows to run through the model");
    batch_ = batch > 0 ? batch : std::max<int64_t>(1, kTokensPerPass / windows.length);
    hidden_ =
        at::empty({windows.count(), windows.length, model.info().hidden}, at::TensorOptions(at::kFloat));
    for (int64_t i = 0; i < windows.count(); ++i)
        hidden_.narrow(0, i, 1).copy_(model.embed(idTensor(windows.window(i), 1, windows.length)));
    model.releaseEmbedding();
}

void BlockRunner::observe(const Block& block, const InputObserver& observer, std::stop_token stop,
                          const OnBatch& onBatch, const std::string& lastGroup) const {
    const at::NoGradGuard guard;
    for (int64_t i = 0; i < windows(); i += batch_) {
        checkStop(stop);
        const int64_t count = std::min(batch_, windows() - i);
        block.observe(hidden_.narrow(0, i, count), observer, lastGroup);
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
            other.hidden_.narrow(0, i, count),
            [&](const std::string& group, const at::Tensor& x) { theirs[group] = x; }, lastGroup);
        block.observe(
            hidden_.narrow(0, i, count),
            [&](const std::string& group, const at::Tensor& x) { observer(group, x, theirs.at(group)); },
            lastGroup);
        if (onBatch) onBatch(double(i + count) / double(windows()));
    }
}

void BlockRunner::advance(const Block& block, std::stop_token stop, const OnBatch& onBatch,
                          const InputObserver& observer) {
    const at::NoGradGuard guard;
    for (int64_t i = 0; i < windows(); i += batch_) {
        checkStop(stop);
        const int64_t count = std::min(batch_, windows() - i);
        const at::Tensor part = hidden_.narrow(0, i, count);
        part.copy_(block.forward(part, observer));
        if (onBatch) onBatch(double(i + count) / double(windows()));
    }
}

}  // namespace owq
