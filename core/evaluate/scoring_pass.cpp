// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/scoring_pass.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/logsumexp.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibrate/block_runner.h"
#include "core/model/torch_tensor.h"

namespace owq {
namespace {

TokenWindows part(const TokenWindows& windows, int64_t first, int64_t count) {
    return {windows.length, {windows.window(first), windows.window(first) + count * windows.length}, {}};
}

/// Multiplications of a token, roughly: what progress is counted in.
double blockWork(const ModelInfo& info) { return 12 * double(info.hidden) * double(info.hidden); }
double headWork(const ModelInfo& info) {
    return std::max(blockWork(info), double(info.vocabulary) * double(info.hidden));
}

/// The last block's outputs [windows, length, H].
at::Tensor runBlocks(const LanguageModel& model, const TokenWindows& windows, const std::stop_token& stop,
                     const std::function<void(double blocksDone, int block)>& report) {
    BlockRunner runner(model, windows, 0, {}, model.device());
    for (int b = 0; b < model.info().blocks; ++b) {
        checkStop(stop);
        report(b, b);
        const Block block = model.loadBlock(b, model.device(), stop);
        runner.advance(block, stop, [&](double fraction) { report(b + fraction, b); });
    }
    return runner.hidden();
}

}  // namespace

void visitLogits(const std::vector<std::shared_ptr<const ModelSource>>& sources, const TokenWindows& windows,
                 const PerplexityOptions& options, const std::stop_token& stop,
                 const std::function<void(double fraction, int model, int block)>& progress,
                 const std::function<void(const ScoredRows& rows)>& visit) {
    const at::NoGradGuard guard;
    if (windows.count() < 1 || windows.length < 2)
        throw Error("there is no window of at least two tokens to score", {},
                    "Give a longer text or a smaller sequence length.");
    std::vector<std::unique_ptr<const LanguageModel>> models;
    int64_t windowBytes = 0, rowBytes = 0;
    double work = 0, heads = 0;
    for (const auto& source : sources) {
        const Arithmetic arithmetic = models.empty() ? options.arithmetic : Arithmetic::dense;
        const ModelInfo& info = models.emplace_back(std::make_unique<LanguageModel>(source, arithmetic, options.device))->info();
        windowBytes += windows.length * info.hidden * int64_t(sizeof(float));
        rowBytes += info.vocabulary * int64_t(sizeof(float));
        work += info.blocks * blockWork(info) + headWork(info);
        heads += headWork(info);
    }
    const int64_t chunk =
        std::clamp<int64_t>(int64_t(options.activationBytes) / windowBytes, 1, windows.count());
    const int64_t rowsAtOnce = std::max<int64_t>(16, int64_t(options.logitBytes) / rowBytes);
    const int64_t scored = windows.length - 1;

    for (int64_t first = 0; first < windows.count(); first += chunk) {
        const int64_t count = std::min(chunk, windows.count() - first);
        const auto report = [&](double done, int model, int block) {
            if (progress)
                progress((double(first) + double(count) * done / work) / double(windows.count()), model, block);
        };
        std::vector<at::Tensor> hidden;
        double done = 0;
        for (size_t m = 0; m < models.size(); ++m) {
            const ModelInfo& info = models[m]->info();
            hidden.push_back(
                runBlocks(*models[m], part(windows, first, count), stop, [&](double blocks, int block) {
                    report(done + blocks * blockWork(info), int(m), block);
                }));
            done += info.blocks * blockWork(info);
        }
        for (int64_t w = 0; w < count; ++w) {
            std::vector<at::Tensor> normed;
            for (size_t m = 0; m < models.size(); ++m)
                normed.push_back(models[m]->finalNorm(hidden[m].select(0, w)));
            for (int64_t row = 0; row < scored; row += rowsAtOnce) {
                ScoredRows rows{first + w, windows.window(first + w) + row + 1, {}};
                for (size_t m = 0; m < models.size(); ++m) {
                    checkStop(stop);
                    const at::Tensor in = normed[m].narrow(0, row, std::min(rowsAtOnce, scored - row));
                    rows.logits.push_back(models[m]->head(in).contiguous());
                }
                visit(rows);
            }
            report(done + heads * double(w + 1) / double(count), 0, -1);
        }
    }
}

LossSum::LossSum(const TokenWindows& windows, std::string who)
    : scored_(windows.length - 1), who_(std::move(who)), sums_(size_t(windows.count())) {}

void LossSum::add(const ScoredRows& rows, const at::Tensor& logits) {
    const int64_t count = logits.size(0);
    const at::Tensor chosen = logits.gather(1, idTensor(rows.next, 1, count).view({count, 1}).to(logits.device())).view({count});
    const at::Tensor losses = at::logsumexp(logits, 1).sub_(chosen).to(at::kCPU);
    const float* loss = losses.data_ptr<float>();
    double& sum = sums_[size_t(rows.window)];
    for (int64_t i = 0; i < count; ++i) sum += double(loss[i]);
    if (!std::isfinite(sum))
        throw Error(who_ + "'s outputs are not finite in window " + std::to_string(rows.window), {},
                    "Activations overflowed: the weights are damaged or the quantization failed.");
}

PerplexityResult LossSum::result() const {
    PerplexityResult result;
    double mean = 0;
    for (const double sum : sums_) {
        result.nll += sum;
        result.windowNll.push_back(sum / double(scored_));
        mean += result.windowNll.back();
    }
    result.perplexity = std::exp(mean / double(sums_.size()));
    result.tokens = int64_t(sums_.size()) * scored_;
    return result;
}

}  // namespace owq
