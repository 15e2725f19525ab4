// SPDX-License-Identifier: Apache-2.0
#include "core/model/block.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/silu.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/attention.h"
#include "core/model/gradient.h"
#include "core/model/torch_tensor.h"
#include "kernels/row_functions.h"

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

/// activation(gate) * up of [n, t, F]; what is given may be overwritten.
at::Tensor gated(Activation kind, at::Tensor gate, const at::Tensor& up) {
    const bool differentiated = tracked(gate) || tracked(up);
    if (kind != Activation::silu || !fitsKernels(gate)) {
        at::Tensor active = activate(kind, gate.contiguous());
        return differentiated ? active.mul(up) : active.mul_(up);
    }
    at::Tensor out = gate.is_contiguous() && !differentiated ? gate : at::empty(gate.sizes(), gate.options());
    kernels::gatedSilu({gate.const_data_ptr<float>(), up.const_data_ptr<float>(), gate.stride(1), gate.size(0) * gate.size(1), gate.size(2),
                        out.data_ptr<float>()});
    if (!differentiated) return out;
    return withFormula(out, {gate, up}, [](const std::vector<at::Tensor>& in) { return at::silu(in[0]).mul(in[1]); });
}

at::Tensor turned(const std::shared_ptr<const Rope>& rope, const at::Tensor& x, int64_t first) {
    if (!fitsKernels(x)) return rope->turned(x, first);
    at::Tensor y = tracked(x) ? x.detach().clone(at::MemoryFormat::Contiguous) : x.contiguous();
    rope->apply(y, first);
    if (!tracked(x)) return y;
    return withBackward(y, {x}, [rope, first](const at::Tensor& gradient, const std::vector<bool>&) {
        at::Tensor back = gradient.clone(at::MemoryFormat::Contiguous);
        rope->apply(back, first, true);
        return std::vector{back};
    });
}

AttentionRule ruleOf(const ModelConfig& config, int block, const Device& device) {
    AttentionRule rule;
    rule.window = config.window(block);
    if (!config.scoresScaled || config.scoresScaledByBlock)
        rule.scale = (config.scoresScaled ? 1 / std::sqrt(double(config.headSize)) : 1) / (config.scoresScaledByBlock ? block + 1 : 1);
    if (config.positions == Positions::alibi) {
        std::vector<float> slopes = alibiSlopes(config.heads);
        rule.slopes = at::from_blob(slopes.data(), {config.heads}, at::kFloat).clone().to(device.place());
        rule.alibiScaledBf16 = config.alibiScaledBf16;
    }
    return rule;
}

}  // namespace

at::Tensor Norm::forward(const at::Tensor& x) const {
    const auto given = [&](const at::Tensor& t) {
        return t.defined() ? std::optional<at::Tensor>(t.to(x.scalar_type())) : std::nullopt;
    };
    if (kind == NormKind::layer) return at::layer_norm(x, {x.size(-1)}, given(weight), given(bias), epsilon);
    const Formula formula = [width = x.size(-1), weight = given(weight), epsilon = epsilon](const std::vector<at::Tensor>& in) {
        return at::rms_norm(in[0], {width}, weight, epsilon);
    };
    if (!weight.defined() || !fitsKernels(x)) return formula({x});
    const at::Tensor in = x.detach().contiguous();
    at::Tensor out = at::empty_like(in);
    kernels::rmsNorm({in.const_data_ptr<float>(), weight.const_data_ptr<float>(), in.numel() / in.size(-1), in.size(-1), float(epsilon),
                      out.data_ptr<float>()});
    return tracked(x) ? withFormula(out, {x}, formula) : out;
}

Norm loadNorm(const ModelSource& source, const ModelConfig& config, const std::string& name, const Device& device) {
    Norm norm{config.norm, config.normEpsilon, {}, {}};
    if (!config.normAffine) return norm;
    norm.weight = loadFloat(source, name + ".weight", device.place());
    if (config.normUnitOffset) norm.weight.add_(1);
    if (config.norm == NormKind::layer) norm.bias = loadFloat(source, name + ".bias", device.place());
    return norm;
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
                  std::shared_ptr<const Rope> rope, Arithmetic arithmetic, const Device& device, const std::stop_token& stop) {
    const at::NoGradGuard guard;
    Block block;
    block.config_ = config;
    block.index_ = index;
    block.rope_ = std::move(rope);
    const std::string prefix = names.block(*config.family, index);
    block.attentionNorm_ = loadNorm(source, config, prefix + config.attentionNorm, device);
    if (config.residual != Residual::parallelShared)
        block.feedForwardNorm_ = loadNorm(source, config, prefix + config.feedForwardNorm, device);
    if (config.queryNorm) block.queryNorm_ = loadNorm(source, config, prefix + config.queryNorm, device);
    if (config.keyNorm) block.keyNorm_ = loadNorm(source, config, prefix + config.keyNorm, device);
    block.rule_ = ruleOf(config, index, device);
    for (const LinearInfo& info : source.info().linears) {
        if (info.block != index) continue;
        checkStop(stop);
        block.infos_.push_back(info);
        block.linears_.push_back(Linear::load(source, info.name, arithmetic, device));
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

struct Block::Heads {
    at::Tensor query, key, value;  ///< [n, t, heads or keyValueHeads, headSize]
};

Block::Heads Block::heads(const at::Tensor& x) const {
    const int64_t n = x.size(0), t = x.size(1), size = config_.headSize, heads = config_.heads, keys = config_.keyValueHeads;
    if (config_.qkv == QkvLayout::separate)
        return {linears_[find("q")].forward(x).view({n, t, heads, size}), linears_[find("k")].forward(x).view({n, t, keys, size}),
                linears_[find("v")].forward(x).view({n, t, keys, size})};
    const at::Tensor fused = linears_[find("qkv")].forward(x);
    if (config_.qkv == QkvLayout::blocked) {
        const at::Tensor all = fused.view({n, t, heads + 2 * keys, size});
        return {all.narrow(2, 0, heads), all.narrow(2, heads, keys), all.narrow(2, heads + keys, keys)};
    }
    const int64_t shared = heads / keys;
    const at::Tensor all = fused.view({n, t, keys, shared + 2, size});
    return {all.narrow(3, 0, shared).reshape({n, t, heads, size}), all.select(3, shared), all.select(3, shared + 1)};
}

at::Tensor Block::attention(const at::Tensor& x, Pass& pass) const {
    const size_t o = find("o");
    const bool host = !linears_.front().isPlaced();
    pass.show(infos_.front(), x);
    if (pass.ended) return {};
    auto [query, key, value] = heads(x);
    if (config_.queryNorm) query = queryNorm_.forward(query);
    if (config_.keyNorm) key = keyNorm_.forward(key);
    const int64_t first = pass.cache ? pass.cache->length : 0;
    if (rope_) {
        query = turned(rope_, query, first);
        key = turned(rope_, key, first);
    }
    const at::Tensor mixed = causalAttention(query, key, value, pass.cache, host, rule_);
    pass.show(infos_[o], mixed);
    return pass.ended ? at::Tensor{} : linears_[o].forward(mixed);
}

at::Tensor Block::feedForward(const at::Tensor& x, Pass& pass) const {
    const size_t gate = find("gate"), both = find("gate_up"), up = both < infos_.size() ? both : find("up"), down = find("down");
    if (config_.residual != Residual::parallelShared) pass.show(infos_[up], x);
    if (pass.ended) return {};
    at::Tensor inner;
    if (both < infos_.size()) {
        const at::Tensor halves = linears_[both].forward(x);
        inner = gated(config_.activation, halves.slice(-1, 0, config_.feedForward), halves.slice(-1, config_.feedForward));
    } else if (gate < infos_.size()) {
        inner = gated(config_.activation, linears_[gate].forward(x), linears_[up].forward(x));
    } else {
        inner = activate(config_.activation, linears_[up].forward(x));
    }
    pass.show(infos_[down], inner);
    return pass.ended ? at::Tensor{} : linears_[down].forward(inner);
}

at::Tensor Block::run(const at::Tensor& hidden, Pass& pass) const {
    const Residual kind = config_.residual;
    const at::Tensor normed = kind == Residual::postNorm ? hidden : attentionNorm_.forward(hidden);
    at::Tensor x = attention(normed, pass);
    if (pass.ended) return {};
    if (kind == Residual::parallel || kind == Residual::parallelShared) {
        at::Tensor y = feedForward(kind == Residual::parallel ? feedForwardNorm_.forward(hidden) : normed, pass);
        return pass.ended ? y : y.add_(x).add_(hidden);
    }
    x.add_(kind == Residual::normedStream ? normed : hidden);
    if (kind == Residual::postNorm) x = attentionNorm_.forward(x);
    const at::Tensor inner = kind == Residual::postNorm ? x : feedForwardNorm_.forward(x);
    at::Tensor y = feedForward(inner, pass);
    if (pass.ended) return {};
    y.add_(kind == Residual::normedStream ? inner : x);
    return kind == Residual::postNorm ? feedForwardNorm_.forward(y) : y;
}

at::Tensor Block::forward(const at::Tensor& hidden, const InputObserver& observe,
                          KeyValueCache* cache) const {
    const at::NoGradGuard guard;
    Pass pass{observe, cache, {}};
    return run(hidden, pass);
}

at::Tensor Block::differentiable(const at::Tensor& hidden, const InputObserver& observe) const {
    const at::AutoGradMode on(true);
    Pass pass{observe, nullptr, {}};
    return run(hidden, pass);
}

void Block::observe(const at::Tensor& hidden, const InputObserver& observe,
                    const std::string& lastGroup) const {
    const at::NoGradGuard guard;
    Pass pass{observe, nullptr, lastGroup.empty() ? infos_.back().inputGroup : lastGroup};
    run(hidden, pass);
}

}  // namespace owq
