// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/damage_probe.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>

#include "core/base/progress.h"
#include "core/calibrate/block_runner.h"
#include "core/model/torch_tensor.h"

namespace owq {

ProbeSize probeSize(int64_t windows, int64_t length, int64_t linears) {
    const int64_t tokens = std::clamp<int64_t>(windows * length / std::max<int64_t>(1, linears), 256, 4096);
    ProbeSize size;
    size.length = std::min<int64_t>(length, 256);
    size.windows = std::clamp<int64_t>(tokens / std::max<int64_t>(1, size.length), 1, windows);
    return size;
}

DamageProbe::DamageProbe(const LanguageModel& model, const TokenWindows& windows, int64_t changes, const std::filesystem::path& scratch)
    : model_(model), size_(probeSize(windows.count(), windows.length, changes)),
      store_({1 + changes, size_.windows, size_.length, model.info().hidden}, scratch), states_(store_.values()) {
    const at::NoGradGuard guard;
    for (int64_t w = 0; w < size_.windows; ++w)
        states_[0].narrow(0, w, 1).copy_(model.embed(idTensor(windows.window(w), 1, size_.length)));
    model.releaseEmbedding();
}

void DamageProbe::run(const Block& block, int64_t from, int64_t to, const std::stop_token& stop) {
    const at::NoGradGuard guard;
    const int64_t windows = size_.windows, batch = BlockRunner::windowsPerPass(size_.length);
    for (int64_t w = 0; w < windows; w += batch) {
        checkStop(stop);
        const int64_t count = std::min(batch, windows - w);
        states_[to].narrow(0, w, count).copy_(block.forward(states_[from].narrow(0, w, count)));
    }
    store_.release();
}

void DamageProbe::begin(const Block& changed, const std::stop_token& stop) {
    run(changed, 0, 1 + begun_, stop);
    ++begun_;
    ++waiting_;
}

void DamageProbe::advance(const Block& block, const std::stop_token& stop) {
    for (int64_t i = 0; i <= begun_ - waiting_; ++i) run(block, i, i, stop);
    waiting_ = 0;
}

std::vector<double> DamageProbe::divergences(const std::stop_token& stop) const {
    const at::NoGradGuard guard;
    const int64_t tokens = size_.tokens(), hidden = states_.size(3);
    const int64_t rows = std::max<int64_t>(16, kLogits / std::max<int64_t>(1, model_.info().vocabulary));
    const auto logProbabilities = [&](int64_t i, int64_t first, int64_t count) {
        const at::Tensor part = states_[i].view({tokens, hidden}).narrow(0, first, count);
        return at::log_softmax(model_.head(model_.finalNorm(part)), -1);
    };
    std::vector<double> sums(size_t(begun_), 0);
    for (int64_t first = 0; first < tokens; first += rows) {
        const int64_t count = std::min(rows, tokens - first);
        const at::Tensor own = logProbabilities(0, first, count), probability = own.exp();
        for (int64_t i = 0; i < begun_; ++i) {
            checkStop(stop);
            const at::Tensor apart = logProbabilities(1 + i, first, count).sub_(own).mul_(probability);
            sums[size_t(i)] -= apart.sum(at::kDouble).item<double>();
        }
    }
    for (double& sum : sums) sum /= double(tokens);
    return sums;
}

}  // namespace owq
