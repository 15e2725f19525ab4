// SPDX-License-Identifier: Apache-2.0
#include "core/tune/tuned_model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_copy.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/progress.h"
#include "core/model/gradient.h"
#include "core/model/torch_tensor.h"

namespace owq {
namespace {

/// Blocks of large models take longer than a stop may.
InputObserver polling(const std::stop_token& stop) {
    return [stop](const std::string&, const at::Tensor&) { checkStop(stop); };
}

at::Tensor indices(const std::vector<int64_t>& values, int64_t first, int64_t count) {
    return at::from_blob(const_cast<int64_t*>(values.data() + first), {count}, at::kLong);
}

}  // namespace

TuningLoss headLoss(const LanguageModel& model, const at::Tensor& hidden, const TuningBatch& batch, double scale, at::Tensor* gradient,
                    const std::stop_token& stop) {
    const at::AutoGradMode mode(gradient != nullptr);
    const at::Tensor in = hidden.detach().requires_grad_(gradient != nullptr);
    const at::Tensor normed = model.finalNorm(in);
    const at::NoGradGuard guard;
    const at::Tensor flat = normed.detach().reshape({-1, normed.size(-1)});
    at::Tensor back = gradient ? at::zeros_like(flat) : at::Tensor{};
    const int64_t scored = int64_t(batch.targets.size()), step = TunedModel::rowsAtOnce(model.info().vocabulary);
    TuningLoss loss{0, scored};
    for (int64_t first = 0; first < scored; first += step) {
        checkStop(stop);
        const int64_t count = std::min(step, scored - first);
        const at::Tensor positions = indices(batch.positions, first, count);
        at::Tensor logits = model.head(flat.index_select(0, positions));
        const at::Tensor targets = idTensor(batch.targets.data() + first, count, 1);
        logits.sub_(at::logsumexp(logits, 1, true));
        const at::Tensor chosen = logits.gather(1, targets).to(at::kDouble).contiguous();
        for (int64_t i = 0; i < count; ++i) loss.nll -= chosen.const_data_ptr<double>()[i];
        if (!gradient) continue;
        logits.exp_();
        logits.scatter_add_(1, targets, at::ones({count, 1}, logits.options()).neg_());
        back.index_copy_(0, positions, model.headGradient(logits.mul_(scale)));
    }
    if (!std::isfinite(loss.nll))
        throw Error("the loss is not finite", {}, "Tune with a smaller learning rate, or check the model with owq evaluate");
    if (gradient) *gradient = gradients(normed, {in}, back.view(normed.sizes())).front();
    return loss;
}

TunedModel::TunedModel(std::shared_ptr<const ModelSource> source, const std::stop_token& stop, const TunedModelOptions& options)
    : model_(source, options.arithmetic), options_(options) {
    const at::NoGradGuard guard;
    bool quantized = false;
    for (int b = 0; b < model_.info().blocks; ++b) {
        blocks_.push_back(model_.loadBlock(b, hostDevice(), stop));
        for (const LinearInfo& info : blocks_.back().linears()) {
            quantized |= source->quantized(info.name);
            if (blocks_.back().linear(info.name).weakColumns().empty()) continue;
            checkStop(stop);
            const QuantizedLinear weight = source->linear(info.name);
            matrices_.push_back({info.name, b, info.inputGroup, info.rows, weight.weakColumns, weight.weakType, frozenHash(weight), parameters_});
            parameters_ += matrices_.back().count();
            original_.insert(original_.end(), weight.weakWeight.begin(), weight.weakWeight.end());
        }
    }
    if (matrices_.empty())
        throw Error(quantized ? "the model has no weak columns, so there is nothing to tune" : "the model is not quantized", {},
                    "Quantize it with weak columns first: owq quantize --weak-columns 8, or a larger --target-bits");
    firstTuned_ = matrices_.front().block;
    for (const WeakMatrix& m : matrices_)
        leaves_.push_back(at::empty({m.rows, int64_t(m.columns.size())}, at::TensorOptions(options_.compute)).requires_grad_(true));
    weights_ = original_;
    returnFreeMemory();  // linears before they were packed
}

void TunedModel::setWeights(std::span<const float> weights) {
    for (const WeakMatrix& m : matrices_) {
        const std::vector<float> rounded = Tensor::rounded(m.type, {m.count()}, weights.subspan(size_t(m.first), size_t(m.count()))).toFloat();
        for (const float value : rounded)
            if (!std::isfinite(value))
                throw Error("a weak weight of " + m.name + " has left the range of " + std::string(name(m.type)), {}, "Tune with a smaller learning rate");
        std::copy(rounded.begin(), rounded.end(), weights_.begin() + ptrdiff_t(m.first));
        blocks_[size_t(m.block)].linear(m.name).setWeakWeight(rounded.data());
    }
}

Task TunedModel::task(Metadata about) const {
    Task task;
    task.about = std::move(about);
    for (const WeakMatrix& m : matrices_)
        task.linears[m.name] = {m.rows, m.columns, {weights_.begin() + ptrdiff_t(m.first), weights_.begin() + ptrdiff_t(m.first + m.count())}, m.type, m.frozen};
    return task;
}

int64_t TunedModel::columns() const {
    int64_t sum = 0;
    for (const WeakMatrix& m : matrices_) sum += int64_t(m.columns.size());
    return sum;
}

uint64_t TunedModel::packedBytes() const {
    uint64_t sum = 0;
    for (const Block& block : blocks_)
        for (const LinearInfo& info : block.linears()) sum += block.linear(info.name).bytes();
    return sum;
}

at::Tensor TunedModel::embed(const TuningBatch& batch) const {
    return model_.embed(idTensor(batch.ids.data(), batch.rows, batch.length)).to(options_.compute);
}

TuningLoss TunedModel::loss(const TuningBatch& batch, const std::stop_token& stop) const {
    const at::NoGradGuard guard;
    at::Tensor hidden = embed(batch);
    for (const Block& block : blocks_) hidden = block.forward(hidden, polling(stop));
    return headLoss(model_, hidden, batch, 0, nullptr, stop);
}

std::vector<float> TunedModel::inputSizes(const std::vector<TuningBatch>& batches, const std::stop_token& stop) const {
    const at::NoGradGuard guard;
    std::vector<at::Tensor> squares(matrices_.size());
    int64_t tokens = 0;
    for (const TuningBatch& batch : batches) {
        tokens += batch.rows * batch.length;
        at::Tensor hidden = embed(batch);
        for (size_t b = 0; b < blocks_.size(); ++b)
            hidden = blocks_[b].forward(hidden, [&](const std::string& group, const at::Tensor& x) {
                checkStop(stop);
                for (size_t i = 0; i < matrices_.size(); ++i) {
                    const WeakMatrix& m = matrices_[i];
                    if (m.block != int(b) || m.inputGroup != group) continue;
                    const at::Tensor columns = idTensor(m.columns.data(), int64_t(m.columns.size()), 1).reshape({-1});
                    const at::Tensor sum = x.index_select(1, columns).to(at::kDouble).square().sum(0);
                    squares[i] = squares[i].defined() ? squares[i].add_(sum) : sum;
                }
            });
    }
    std::vector<float> sizes;
    for (const at::Tensor& sum : squares)
        for (int64_t c = 0; c < sum.size(0); ++c) sizes.push_back(float(std::sqrt(sum.const_data_ptr<double>()[c] / double(tokens))));
    return sizes;
}

TuningLoss TunedModel::lossAndGradient(const TuningBatch& batch, double scale, std::span<float> gradient, const std::stop_token& stop) {
    for (size_t i = 0; i < matrices_.size(); ++i)
        blocks_[size_t(matrices_[i].block)].linear(matrices_[i].name).trackWeakColumns(leaves_[i], stop);
    std::vector<at::Tensor> inputs(blocks_.size());
    at::Tensor hidden = embed(batch);
    for (size_t b = 0; b < blocks_.size(); ++b) {
        if (int(b) >= firstTuned_) inputs[b] = options_.kept == at::kFloat ? hidden : hidden.to(options_.kept);
        hidden = blocks_[b].forward(hidden, polling(stop));
    }
    at::Tensor back;
    const TuningLoss loss = headLoss(model_, hidden, batch, scale, &back, stop);
    hidden.reset();
    returnFreeMemory();  // logits: nothing in a block is as large
    for (int b = int(blocks_.size()) - 1; b >= firstTuned_; --b) {
        checkStop(stop);
        const at::Tensor in = std::exchange(inputs[size_t(b)], {}).to(options_.compute).detach().requires_grad_(b > firstTuned_);
        std::vector<at::Tensor> of;
        std::vector<const WeakMatrix*> whose;
        for (size_t i = 0; i < matrices_.size(); ++i)
            if (matrices_[i].block == b) {
                of.push_back(leaves_[i]);
                whose.push_back(&matrices_[i]);
            }
        if (b > firstTuned_) of.push_back(in);
        const std::vector<at::Tensor> found = gradients(blocks_[size_t(b)].differentiable(in, polling(stop)), of, back);
        const at::NoGradGuard guard;
        for (size_t i = 0; i < whose.size(); ++i)
            at::from_blob(gradient.data() + whose[i]->first, found[i].sizes(), at::kFloat).add_(found[i].to(at::kFloat));
        if (b > firstTuned_) back = found.back();
    }
    return loss;
}

}  // namespace owq
