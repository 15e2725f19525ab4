// SPDX-License-Identifier: Apache-2.0
#include "core/model/block.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/silu.h>

#include <algorithm>
#include <string_view>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/attention.h"
#include "core/model/torch_tensor.h"

namespace owq {
namespace {

at::Tensor activate(Activation kind, at::Tensor x) {
    switch (kind) {
        case Activation::relu:
            return x.relu_();
        case Activation::silu:
            return at::silu_(x);
        case Activation::gelu:
            return at::gelu(x);
        case Activation::geluTanh:
            return at::gelu(x, "tanh");
    }
    return x;
}

Norm loadNorm(const ModelSource& source, const ModelConfig& config, const std::string& name, const Device& device) {
    Norm norm{config.norm, config.normEpsilon, {}, {}};
    if (!config.normAffine) return norm;
    norm.weight = loadFloat(source, name + ".weight", device.place());
    if (config.norm == NormKind::layer) norm.bias = loadFloat(source, name + ".bias", device.place());
    return norm;
}

}  // namespace

at::Tensor Norm::forward(const at::Tensor& x) const {
    const auto given = [](const at::Tensor& t) {
        return t.defined() ? std::optional<at::Tensor>(t) : std::nullopt;
    };
    if (kind == NormKind::layer) return at::layer_norm(x, {x.size(-1)}, given(weight), given(bias), epsilon);
    return at::rms_norm(x, {x.size(-1)}, given(weight), epsilon);
}

/// State of one pass through the block.
struct Block::Pass {
    const InputObserver& observe;
    KeyValueCache* cache;
    std::string_view lastGroup;  ///< end the pass when it has been observed; empty: never
    bool ended = false;

    /// x is the input of the linear `info` and of those that share it.
    void show(const LinearInfo& info, const at::Tensor& x) {
        if (observe) observe(info.inputGroup, x.reshape({-1, x.size(-1)}));
        ended = !lastGroup.empty() && info.inputGroup == lastGroup;
    }
};

Block Block::load(const ModelSource& source, const ModelConfig& config, const ModelNames& names, int index,
                  std::shared_ptr<const Rope> rope, WeightForm form, const Device& device, const std::stop_token& stop) {
    const at::NoGradGuard guard;
    Block block;
    block.config_ = config;
    block.index_ = index;
    block.rope_ = std::move(rope);
    const std::string prefix = names.block(*config.family, index);
    block.attentionNorm_ = loadNorm(source, config, prefix + config.family->attentionNorm, device);
    block.feedForwardNorm_ = loadNorm(source, config, prefix + config.family->feedForwardNorm, device);
    for (const LinearInfo& info : source.info().linears) {
        if (info.block != index) continue;
        checkStop(stop);
        block.infos_.push_back(info);
        block.linears_.push_back(Linear::load(source, info.name, form, device));
    }
    return block;
}

Linear& Block::linear(const std::string& name) {
    return const_cast<Linear&>(std::as_const(*this).linear(name));
}
const Linear& Block::linear(const std::string& name) const {
    for (size_t i = 0; i < infos_.size(); ++i)
        if (infos_[i].name == name) return linears_[i];
    throw Error("block " + std::to_string(index_) + " has no linear of this name", name);
}

size_t Block::find(std::string_view kind) const {
    for (size_t i = 0; i < infos_.size(); ++i)
        if (infos_[i].kind == kind) return i;
    return infos_.size();
}

at::Tensor Block::attention(const at::Tensor& x, Pass& pass) const {
    const size_t q = find("q"), k = find("k"), v = find("v"), o = find("o");
    pass.show(infos_[q], x);
    if (pass.ended) return {};
    const int64_t n = x.size(0), t = x.size(1), size = config_.headSize;
    at::Tensor query = linears_[q].forward(x).view({n, t, config_.heads, size});
    at::Tensor key = linears_[k].forward(x).view({n, t, config_.keyValueHeads, size});
    const at::Tensor value = linears_[v].forward(x).view({n, t, config_.keyValueHeads, size});
    const int64_t first = pass.cache ? pass.cache->length : 0;
    const bool host = !linears_[q].isPlaced();
    if (rope_ && host) {
        rope_->apply(query, first);
        rope_->apply(key, first);
    } else if (rope_) {
        query = rope_->turned(query, first);
        key = rope_->turned(key, first);
    }
    const at::Tensor mixed = causalAttention(query, key, value, pass.cache, host);
    pass.show(infos_[o], mixed);
    return pass.ended ? at::Tensor{} : linears_[o].forward(mixed);
}

at::Tensor Block::feedForward(const at::Tensor& x, Pass& pass) const {
    const size_t gate = find("gate"), up = find("up"), down = find("down");
    pass.show(infos_[up], x);
    if (pass.ended) return {};
    at::Tensor inner;
    if (gate < infos_.size()) {
        inner = activate(config_.activation, linears_[gate].forward(x));
        inner.mul_(linears_[up].forward(x));
    } else {
        inner = activate(config_.activation, linears_[up].forward(x));
    }
    pass.show(infos_[down], inner);
    return pass.ended ? at::Tensor{} : linears_[down].forward(inner);
}

at::Tensor Block::run(const at::Tensor& hidden, Pass& pass) const {
    const bool first = config_.normFirst;
    at::Tensor x = attention(first ? attentionNorm_.forward(hidden) : hidden, pass);
    if (pass.ended) return {};
    x.add_(hidden);
    if (!first) x = attentionNorm_.forward(x);
    at::Tensor y = feedForward(first ? feedForwardNorm_.forward(x) : x, pass);
    if (pass.ended) return {};
    y.add_(x);
    return first ? y : feedForwardNorm_.forward(y);
}

at::Tensor Block::forward(const at::Tensor& hidden, const InputObserver& observe,
                          KeyValueCache* cache) const {
    const at::NoGradGuard guard;
    Pass pass{observe, cache, {}};
    return run(hidden, pass);
}

void Block::observe(const at::Tensor& hidden, const InputObserver& observe,
                    const std::string& lastGroup) const {
    const at::NoGradGuard guard;
    Pass pass{observe, nullptr, lastGroup.empty() ? infos_.back().inputGroup : lastGroup};
    run(hidden, pass);
}

}  // namespace owq
