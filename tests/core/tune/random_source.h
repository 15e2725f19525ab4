// SPDX-License-Identifier: Apache-2.0
// A LLaMA of any size with random weights, quantized or not, for memory and time of tuning: nothing is stored.
#pragma once
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/base/half.h"
#include "core/model/family.h"
#include "core/model/gradient.h"
#include "core/model/model_source.h"
#include "core/tune/tuning_data.h"

namespace owq {

struct RandomShape {
    int blocks = 6, bits = 3;  ///< 16: not quantized
    int64_t hidden = 1024, inner = 2816, heads = 16, vocabulary = 16000, weakColumns = 8;
};

/// Weights are made when they are asked for; the embedding is held, as a mapped file would be.
class RandomSource final : public ModelSource {
public:
    explicit RandomSource(const RandomShape& shape) : shape_(shape), config_(configuration(shape)) {
        const ModelConfig parsed = parseModelConfig(config_, "test");
        const ShapeLookup find = [this](const std::string& name) { return shapeOf(name); };
        info_ = buildModelInfo(parsed, resolveNames(parsed, find, "test"), find, "test");
        embedding_ = random({shape.vocabulary, shape.hidden});
    }
    ModelKind kind() const override { return shape_.bits < 16 ? ModelKind::packed : ModelKind::checkpoint; }
    const ModelInfo& info() const override { return info_; }
    const Json& config() const override { return config_; }
    std::filesystem::path tokenizerFolder() const override { return {}; }
    bool has(const std::string& tensor) const override { return shapeOf(tensor).has_value(); }
    Tensor tensor(const std::string& name) const override {
        if (name == "model.embed_tokens.weight") return embedding_;
        return random(shapeOf(name)->shape);
    }
    bool quantized(const std::string& linear) const override { return shape_.bits < 16 && info_.find(linear) != nullptr; }
    QuantizedLinear linear(const std::string& name) const override {
        const LinearInfo& l = *info_.find(name);
        QuantizedLinear q;
        q.rows = l.rows, q.columns = l.columns, q.bits = shape_.bits;
        q.codes.resize(size_t(q.rows * q.columns));
        const float middle = float(1 << (q.bits - 1));
        std::minstd_rand draw(1);
        for (uint8_t& code : q.codes) code = uint8_t(draw() >> 8 & unsigned((1 << q.bits) - 1));
        q.scale.assign(size_t(q.rows), 0.04f / middle);
        q.zero.assign(size_t(q.rows), middle - 1);
        for (int64_t j = 0; j < shape_.weakColumns; ++j) q.weakColumns.push_back(int32_t(j * (q.columns / shape_.weakColumns)));
        for (int64_t r = 0; r < q.rows; ++r)
            for (const int32_t c : q.weakColumns) q.codes[size_t(r * q.columns + c)] = uint8_t(middle - 1);
        for (int64_t i = 0; i < q.rows * shape_.weakColumns; ++i) q.weakWeight.push_back(0.015625f);
        return q;
    }

private:
    static Json configuration(const RandomShape& s) {
        return {{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"}, {"hidden_act", "silu"}, {"hidden_size", s.hidden},
                {"intermediate_size", s.inner}, {"num_attention_heads", s.heads}, {"num_key_value_heads", s.heads},
                {"num_hidden_layers", s.blocks}, {"max_position_embeddings", 2048}, {"rms_norm_eps", 1e-6}, {"vocab_size", s.vocabulary},
                {"tie_word_embeddings", false}};
    }
    std::optional<TensorShape> shapeOf(const std::string& name) const {
        const auto ends = [&](std::string_view end) { return name.ends_with(end); };
        const bool beyond = name.find("layers." + std::to_string(shape_.blocks) + ".") != std::string::npos;
        if (ends(".bias") || beyond) return std::nullopt;
        if (ends("embed_tokens.weight") || ends("lm_head.weight")) return TensorShape{DType::f16, {shape_.vocabulary, shape_.hidden}};
        if (ends("norm.weight")) return TensorShape{DType::f16, {shape_.hidden}};
        if (ends("gate_proj.weight") || ends("up_proj.weight")) return TensorShape{DType::f16, {shape_.inner, shape_.hidden}};
        if (ends("down_proj.weight")) return TensorShape{DType::f16, {shape_.hidden, shape_.inner}};
        if (ends("layernorm.weight")) return TensorShape{DType::f16, {shape_.hidden}};
        if (ends("_proj.weight")) return TensorShape{DType::f16, {shape_.hidden, shape_.hidden}};
        return std::nullopt;
    }
    static Tensor random(const std::vector<int64_t>& shape) {
        int64_t count = 1;
        for (const int64_t n : shape) count *= n;
        std::minstd_rand draw(2);
        std::vector<uint16_t> values(static_cast<size_t>(count));
        for (uint16_t& v : values) v = floatToHalf(float(draw() % 2001) / 20000 - 0.05f);
        return Tensor::from(DType::f16, shape, std::move(values));
    }
    RandomShape shape_;
    Json config_;
    ModelInfo info_;
    Tensor embedding_;
};

/// Computes once what a tuning computes, on little: what the libraries take for it is not the tuning's.
inline void warmUpLibraries(const RandomShape& shape) {
    const at::Tensor a = at::randn({64, 64}, at::kFloat).requires_grad_(true);
    gradients(a.mm(a), {a}, at::randn({64, 64}, at::kFloat));
    at::randn({512, shape.hidden}, at::kFloat).mm(at::randn({shape.hidden, shape.inner}, at::kFloat));
}

/// Examples all of whose tokens but the first are scored.
inline TuningData someData(int64_t examples, int64_t tokens, int64_t vocabulary) {
    TuningData data;
    for (int64_t i = 0; i < examples; ++i) {
        data.examples.push_back({{}, 1});
        for (int64_t t = 0; t < tokens; ++t) data.examples.back().ids.push_back(int32_t((i * 7919 + t * 31) % vocabulary));
    }
    return data;
}

}  // namespace owq
