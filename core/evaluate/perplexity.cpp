// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/perplexity.h"

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

/// Sum of the losses of tokens 2…t of one window; normed [t, E].
double windowLoss(const LanguageModel& model, const at::Tensor& normed, const int32_t* ids,
                  int64_t rowsAtOnce, const std::stop_token& stop) {
    const int64_t scored = normed.size(0) - 1;
    const at::Tensor targets = idTensor(ids + 1, 1, scored).view({scored, 1});
    double sum = 0;
    for (int64_t row = 0; row < scored; row += rowsAtOnce) {
        checkStop(stop);
        const int64_t count = std::min(rowsAtOnce, scored - row);
        const at::Tensor logits = model.head(normed.narrow(0, row, count));
        const at::Tensor chosen = logits.gather(1, targets.narrow(0, row, count)).view({count});
        const at::Tensor losses = at::logsumexp(logits, 1).sub_(chosen);
        const float* loss = losses.data_ptr<float>();
        for (int64_t i = 0; i < count; ++i) sum += double(loss[i]);
    }
    return sum;
}

TokenWindows part(const TokenWindows& windows, int64_t first, int64_t count) {
    return {windows.length, {windows.window(first), windows.window(first) + count * windows.length}, {}};
}

}  // namespace

PerplexityResult perplexity(const std::shared_ptr<const ModelSource>& source, const TokenWindows& windows,
                            const PerplexityOptions& options, std::stop_token stop,
                            const std::function<void(double fraction, int block)>& progress) {
    const at::NoGradGuard guard;
    if (windows.count() < 1 || windows.length < 2)
        throw Error("there is no window of at least two tokens to score", {},
                    "Give a longer text or a smaller sequence length.");
    const LanguageModel model(source);
    const ModelInfo& info = model.info();
    const int64_t windowBytes = windows.length * info.hidden * int64_t(sizeof(float));
    const int64_t chunk =
        std::clamp<int64_t>(int64_t(options.activationBytes) / windowBytes, 1, windows.count());
    const int64_t rowsAtOnce =
        std::max<int64_t>(16, int64_t(options.logitBytes) / (info.vocabulary * int64_t(sizeof(float))));
    // Counted in blocks; the head weighs as many as its share of the multiplications.
    const double headWork = std::max(1.0, double(info.vocabulary) / double(12 * info.hidden)),
                 work = info.blocks + headWork;

    PerplexityResult result;
    for (int64_t first = 0; first < windows.count(); first += chunk) {
        const int64_t count = std::min(chunk, windows.count() - first);
        const auto report = [&](double blocksDone, int block) {
            if (progress)
                progress((double(first) + double(count) * blocksDone / work) / double(windows.count()),
                         block);
        };
        BlockRunner runner(model, part(windows, first, count));
        for (int b = 0; b < info.blocks; ++b) {
            checkStop(stop);
            report(b, b);
            const Block block = model.loadBlock(b);
            runner.advance(block, stop, [&](double fraction) { report(b + fraction, b); });
        }
        for (int64_t w = 0; w < count; ++w) {
            const at::Tensor normed = model.finalNorm(runner.hidden().select(0, w));
            const double loss = windowLoss(model, normed, windows.window(first + w), rowsAtOnce, stop);
            if (!std::isfinite(loss))
                throw Error("the model's outputs are not finite in window " + std::to_string(first + w), {},
                            "Activations overflowed: the weights are damaged or the quantization failed.");
            result.nll += loss;
            result.windowNll.push_back(loss / double(windows.length - 1));
            report(info.blocks + headWork * double(w + 1) / double(count), -1);
        }
    }
    double mean = 0;
    for (double nll : result.windowNll) mean += nll;
    result.perplexity = std::exp(mean / double(windows.count()));
    result.tokens = windows.count() * (windows.length - 1);
    return result;
}

}  // namespace owq
