// SPDX-License-Identifier: Apache-2.0
// Memory of a tuning against its forecast, of a model large enough to stand out. A program of its own: the peak is that of a process.
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <random>

#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/model/family.h"
#include "core/model/gradient.h"
#include "core/tune/tuner.h"
#include "core/tune/tuning_forecast.h"

namespace owq {
namespace {

constexpr int kBlocks = 6;
constexpr int64_t kHidden = 1024, kInner = 2816, kVocabulary = 16000, kWeak = 8;

Json configuration() {
    return {{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"}, {"hidden_act", "silu"}, {"hidden_size", kHidden},
            {"intermediate_size", kInner}, {"num_attention_heads", 16}, {"num_key_value_heads", 16}, {"num_hidden_layers", kBlocks},
            {"max_position_embeddings", 512}, {"rms_norm_eps", 1e-6}, {"vocab_size", kVocabulary}, {"tie_word_embeddings", false}};
}

/// Random weights, made when they are asked for; the embedding is held, as a mapped file would be.
class RandomSource final : public ModelSource {
public:
    RandomSource() : config_(configuration()) {
        const ModelConfig parsed = parseModelConfig(config_, "test");
        const ShapeLookup find = [](const std::string& name) { return shapeOf(name); };
        info_ = buildModelInfo(parsed, resolveNames(parsed, find, "test"), find, "test");
        embedding_ = random({kVocabulary, kHidden});
    }
    ModelKind kind() const override { return ModelKind::packed; }
    const ModelInfo& info() const override { return info_; }
    const Json& config() const override { return config_; }
    std::filesystem::path tokenizerFolder() const override { return {}; }
    bool has(const std::string& tensor) const override { return shapeOf(tensor).has_value(); }
    Tensor tensor(const std::string& name) const override {
        if (name == "model.embed_tokens.weight") return embedding_;
        return random(shapeOf(name)->shape);
    }
    bool quantized(const std::string& linear) const override { return info_.find(linear) != nullptr; }
    QuantizedLinear linear(const std::string& name) const override {
        const LinearInfo& l = *info_.find(name);
        QuantizedLinear q;
        q.rows = l.rows, q.columns = l.columns, q.bits = 3;
        q.codes.resize(size_t(q.rows * q.columns));
        std::minstd_rand draw(1);
        for (uint8_t& code : q.codes) code = uint8_t(draw() >> 8 & 7);
        q.scale.assign(size_t(q.rows), 0.01f);
        q.zero.assign(size_t(q.rows), 3.f);
        for (int64_t j = 0; j < kWeak; ++j) q.weakColumns.push_back(int32_t(j * 100));
        for (int64_t i = 0; i < q.rows * kWeak; ++i) q.weakWeight.push_back(0.015625f);
        return q;
    }

private:
    static std::optional<TensorShape> shapeOf(const std::string& name) {
        const auto ends = [&](std::string_view end) { return name.ends_with(end); };
        const bool beyond = name.find("layers." + std::to_string(kBlocks) + ".") != std::string::npos;
        if (ends(".bias") || beyond) return std::nullopt;
        if (ends("embed_tokens.weight") || ends("lm_head.weight")) return TensorShape{DType::f16, {kVocabulary, kHidden}};
        if (ends("norm.weight")) return TensorShape{DType::f16, {kHidden}};
        if (ends("gate_proj.weight") || ends("up_proj.weight")) return TensorShape{DType::f16, {kInner, kHidden}};
        if (ends("down_proj.weight")) return TensorShape{DType::f16, {kHidden, kInner}};
        if (ends("layernorm.weight")) return TensorShape{DType::f16, {kHidden}};
        if (ends("_proj.weight")) return TensorShape{DType::f16, {kHidden, kHidden}};
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
    Json config_;
    ModelInfo info_;
    Tensor embedding_;
};

TEST(TuningMemory, StaysWithinTheForecastAndItsMargin) {
    tuneAllocator();  // as the programs do
    const auto source = std::make_shared<RandomSource>();
    {  // what the libraries take when they first compute
        const at::Tensor a = at::randn({64, 64}, at::kFloat).requires_grad_(true);
        gradients(a.mm(a), {a}, at::randn({64, 64}, at::kFloat));
        at::randn({512, kHidden}, at::kFloat).mm(at::randn({kHidden, kInner}, at::kFloat));
    }
    const uint64_t base = residentMemoryBytes();
    TunedModel model(source);
    TuningData data, none;
    for (int i = 0; i < 3; ++i) {
        data.examples.push_back({{}, 1});
        for (int t = 0; t < 512; ++t) data.examples.back().ids.push_back((i * 7919 + t * 31) % int(kVocabulary));
    }
    Tuner tuner(model, data, none, {.epochs = 1, .accumulate = 1});
    const TuningForecast forecast = forecastTuning(source->info(), model.packedBytes(), model.parameters(), 1, 512, false);
    while (tuner.finished().empty()) tuner.step({});
    const uint64_t taken = peakMemoryBytes() - base;
    std::printf("forecast %.1f MiB, taken %.1f MiB\n", double(forecast.bytes()) / (1 << 20), double(taken) / (1 << 20));
    for (const TuningForecast::Part& part : forecast.parts) std::printf("  %7.1f MiB %s\n", double(part.bytes) / (1 << 20), part.name.c_str());
    ASSERT_EQ(forecast.parts.back().name, "libraries and heap");
    const uint64_t parts = forecast.bytes() - forecast.parts.back().bytes;
    EXPECT_LE(double(taken), 1.15 * double(parts)) << "what libraries hold was there before";
    EXPECT_GE(double(taken), 0.6 * double(forecast.bytes())) << "a forecast of twice the need helps nobody";
}

}  // namespace
}  // namespace owq
