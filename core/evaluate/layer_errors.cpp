// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/layer_errors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>

#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibrate/block_runner.h"
#include "core/model/torch_tensor.h"

namespace owq {
namespace {

double total(const at::Tensor& values) { return at::sum(values, at::kDouble).item<double>(); }

/// What an OutputError is made of, gathered over batches.
struct Sums {
    double difference = 0, original = 0, model = 0, both = 0;
    void add(const at::Tensor& y, const at::Tensor& y0) {
        difference += total(at::sub(y, y0).square_());
        original += total(y0.square());
        model += total(y.square());
        both += total(at::mul(y, y0));
    }
    OutputError error() const {
        // Outputs that are all 0 on both sides are the same.
        if (original == 0) return {difference == 0 ? 0 : INFINITY, difference == 0 ? 1.0 : 0.0};
        return {difference / original, model == 0 ? 0 : both / std::sqrt(model) / std::sqrt(original)};
    }
};

struct LayerSums {
    Sums local, felt;
};

at::Tensor embedded(const LanguageModel& model, const TokenWindows& windows) {
    at::Tensor hidden = at::empty({windows.count(), windows.length, model.info().hidden}, at::TensorOptions(at::kFloat));
    for (int64_t w = 0; w < windows.count(); ++w) hidden.narrow(0, w, 1).copy_(model.embed(idTensor(windows.window(w), 1, windows.length)));
    model.releaseEmbedding();
    return hidden;
}

void checkAlike(const ModelInfo& model, const ModelInfo& original) {
    bool alike = model.blocks == original.blocks && model.hidden == original.hidden && model.linears.size() == original.linears.size();
    for (size_t i = 0; alike && i < model.linears.size(); ++i) {
        const LinearInfo &a = model.linears[i], &b = original.linears[i];
        alike = a.name == b.name && a.rows == b.rows && a.columns == b.columns;
    }
    if (!alike) throw Error("the two models have different linears", "comparison", "Compare a model with the one that it was made from");
}

}  // namespace

std::vector<LayerError> layerErrors(const std::shared_ptr<const ModelSource>& model, const std::shared_ptr<const ModelSource>& original,
                                    const TokenWindows& windows, std::stop_token stop, const std::function<void(double fraction, int block)>& progress) {
    const at::NoGradGuard guard;
    checkAlike(model->info(), original->info());
    if (windows.count() < 1) throw Error("there is no window of tokens");
    const LanguageModel changed(model), first(original);
    at::Tensor hidden = embedded(changed, windows), hidden0 = embedded(first, windows);
    const int64_t batch = BlockRunner::windowsPerPass(windows.length);
    const int blocks = first.info().blocks;
    std::vector<LayerError> errors;
    for (int b = 0; b < blocks; ++b) {
        checkStop(stop);
        const Block block = changed.loadBlock(b, hostDevice(), stop), block0 = first.loadBlock(b, hostDevice(), stop);
        std::map<std::string, LayerSums> sums;
        LayerSums whole;
        for (int64_t w = 0; w < windows.count(); w += batch) {
            const int64_t count = std::min(batch, windows.count() - w);
            at::Tensor part = hidden.narrow(0, w, count), part0 = hidden0.narrow(0, w, count);
            std::map<std::string, at::Tensor> inputs0;
            const at::Tensor out0 = block0.forward(part0, [&](const std::string& group, const at::Tensor& x) { inputs0[group] = x; });
            whole.local.add(block.forward(part0), out0);
            const at::Tensor out = block.forward(part, [&](const std::string& group, const at::Tensor& x) {
                const at::Tensor& x0 = inputs0.at(group);
                for (const LinearInfo& l : block.linears()) {
                    if (l.inputGroup != group) continue;
                    checkStop(stop);
                    const at::Tensor y0 = block0.linear(l.name).forward(x0);
                    LayerSums& s = sums[l.name];
                    s.local.add(block.linear(l.name).forward(x0), y0);
                    s.felt.add(block.linear(l.name).forward(x), y0);
                }
            });
            whole.felt.add(out, out0);
            part.copy_(out);
            part0.copy_(out0);
            if (progress) progress((b + double(w + count) / double(windows.count())) / blocks, b);
        }
        for (const LinearInfo& l : block.linears()) errors.push_back({l.name, b, sums.at(l.name).local.error(), sums.at(l.name).felt.error()});
        errors.push_back({"block " + std::to_string(b + 1), b, whole.local.error(), whole.felt.error()});
        if (!std::isfinite(errors.back().felt.relative))
            throw Error("the outputs of block " + std::to_string(b + 1) + " are not finite", {},
                        "Activations overflowed: the weights are damaged or the quantization failed.");
    }
    return errors;
}

}  // namespace owq
