// SPDX-License-Identifier: Apache-2.0
#include "core/model/config.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "core/model/family.h"
#include "core/model/rope.h"

namespace owq {
namespace {

using ::testing::HasSubstr;

Json llama() {
    return parseJson(
        R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
        "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100, "rms_norm_eps": 1e-5})",
        "test");
}
Json opt() {
    return parseJson(
        R"({"model_type": "opt", "hidden_size": 64, "ffn_dim": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
        "vocab_size": 100, "max_position_embeddings": 32})",
        "test");
}

std::string refusal(const Json& config) {
    try {
        parseModelConfig(config, "config.json");
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

TEST(Config, FillsInWhatLlama1Omits) {
    const ModelConfig c = parseModelConfig(llama(), "config.json");
    EXPECT_EQ(std::string(c.family->name), "llama");
    EXPECT_EQ(c.keyValueHeads, 4);
    EXPECT_EQ(c.headSize, 16);
    EXPECT_EQ(c.rope.kind, RopeKind::plain);
    EXPECT_EQ(c.rope.theta, 10000);
    EXPECT_EQ(c.maxPositions, 2048);
    EXPECT_EQ(c.normEpsilon, 1e-5);
    EXPECT_FALSE(c.tiedHead || c.attentionBias || c.outputBias || c.feedForwardBias);
}

TEST(Config, ReadsRopeInBothSpellings) {
    Json old = llama();
    old["rope_theta"] = 5e5;
    old["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
    Json now = llama();
    now["rope_parameters"] = {{"rope_type", "linear"}, {"rope_theta", 5e5}, {"factor", 4.0}};
    for (const Json& config : {old, now}) {
        const RopeConfig rope = parseModelConfig(config, "config.json").rope;
        EXPECT_EQ(rope.kind, RopeKind::linear);
        EXPECT_EQ(rope.theta, 5e5);
        EXPECT_EQ(rope.factor, 4);
    }
}

TEST(Config, ScalesLlama3FrequenciesByWavelength) {
    const RopeConfig config{RopeKind::llama3, 500000, 8, 1, 4, 8192};
    const Rope plain({RopeKind::plain, 500000, 1, 1, 4, 0}, 128), scaled(config, 128);
    for (size_t i = 0; i < 64; ++i) {
        const double f = plain.frequencies()[i], w = 2 * std::numbers::pi / f;
        const double t = (8192 / w - 1) / 3;
        const double expected = w < 2048 ? f : w > 8192 ? f / 8 : f * ((1 - t) / 8 + t);
        EXPECT_NEAR(scaled.frequencies()[i], expected, expected * 1e-6) << i;
    }
}

TEST(Config, ReadsOptVariants) {
    Json small = opt();
    small["do_layer_norm_before"] = false;
    small["word_embed_proj_dim"] = 48;
    const ModelConfig c = parseModelConfig(small, "config.json");
    EXPECT_EQ(c.residual, Residual::postNorm);
    EXPECT_FALSE(c.finalNorm);
    EXPECT_EQ(c.embedding, 48);
    EXPECT_TRUE(c.tiedHead && c.attentionBias && c.outputBias && c.feedForwardBias);
    EXPECT_EQ(c.positions, Positions::learned);
    EXPECT_EQ(c.activation, Activation::relu);
}

TEST(Config, TakesEndOfTextAsNumberOrList) {
    Json c = llama();
    EXPECT_TRUE(parseModelConfig(c, "").eos.empty());
    c["eos_token_id"] = 2;
    EXPECT_EQ(parseModelConfig(c, "").eos, std::vector<int64_t>{2});
    c["eos_token_id"] = {2, 7};
    EXPECT_EQ(parseModelConfig(c, "").eos, (std::vector<int64_t>{2, 7}));
    c["eos_token_id"] = {"two"};
    EXPECT_NE(refusal(c), "accepted");
}

TEST(Config, RefusesUnknownArchitecturesByNameAndListsTheKnown) {
    Json c = llama();
    c["model_type"] = "mamba";
    c["architectures"] = {"MambaForCausalLM"};
    EXPECT_THAT(refusal(c), HasSubstr("mamba"));
    EXPECT_THAT(refusal(c), HasSubstr("opt, llama"));
    c = llama();
    c["architectures"] = {"LlamaForSequenceClassification"};
    EXPECT_THAT(refusal(c), HasSubstr("LlamaForSequenceClassification"));
    c = llama();
    c.erase("model_type");
    EXPECT_EQ(refusal(c), "accepted") << "architectures alone are enough";
    c.erase("architectures");
    EXPECT_THAT(refusal(c), HasSubstr("model_type"));
}

TEST(Config, RefusesMixtureOfExpertsByName) {
    Json c = llama();
    c["model_type"] = "mixtral";
    c["architectures"] = {"MixtralForCausalLM"};
    EXPECT_THAT(refusal(c), HasSubstr("mixture-of-experts"));
    EXPECT_THAT(refusal(c), HasSubstr("mixtral"));
    c = llama();
    c["num_local_experts"] = 8;
    EXPECT_THAT(refusal(c), HasSubstr("mixture-of-experts"));
}

TEST(Config, RefusesByNameWhatItWouldOnlyHalfRun) {
    Json c = llama();
    c["model_type"] = "phi3";
    c["architectures"] = {"Phi3ForCausalLM"};
    EXPECT_EQ(refusal(c), "accepted");
    c["rope_scaling"] = {{"type", "longrope"}, {"long_factor", {1.0}}, {"short_factor", {1.0}}};
    EXPECT_THAT(refusal(c), HasSubstr("longrope"));
    c = llama();
    c["partial_rotary_factor"] = 0.5;
    EXPECT_THAT(refusal(c), HasSubstr("partial_rotary_factor"));
    c = llama();
    c["layer_types"] = {"full_attention", "chunked_attention"};
    EXPECT_THAT(refusal(c), HasSubstr("chunked_attention"));
    for (const char* experts : {"qwen2_moe", "phimoe", "deepseek_v3", "dbrx", "gpt_oss"}) {
        c = llama();
        c["model_type"] = experts;
        EXPECT_THAT(refusal(c), ::testing::AllOf(HasSubstr("mixture-of-experts"), HasSubstr(experts)));
    }
}

TEST(Config, ReadsWindowsOfAllOrOfSomeBlocks) {
    Json c = llama();
    c["model_type"] = "mistral";
    c["architectures"] = {"MistralForCausalLM"};
    c["sliding_window"] = 16;
    EXPECT_EQ(parseModelConfig(c, "").windows, (std::vector<int64_t>{16, 16}));
    c["sliding_window"] = nullptr;
    EXPECT_TRUE(parseModelConfig(c, "").windows.empty());
    c["model_type"] = "qwen2";
    c["architectures"] = {"Qwen2ForCausalLM"};
    c["sliding_window"] = 16;
    c["max_window_layers"] = 1;
    EXPECT_TRUE(parseModelConfig(c, "").windows.empty()) << "named, but not in use";
    c["use_sliding_window"] = true;
    EXPECT_EQ(parseModelConfig(c, "").windows, (std::vector<int64_t>{0, 16}));
    c["layer_types"] = {"sliding_attention", "full_attention"};
    EXPECT_EQ(parseModelConfig(c, "").windows, (std::vector<int64_t>{16, 0}));
}

TEST(Config, KnowsFalconsShapesFromTheKeys) {
    Json c = llama();
    c["architectures"] = {"FalconForCausalLM"};
    c["model_type"] = "falcon";
    ModelConfig small = parseModelConfig(c, "");
    EXPECT_EQ(small.residual, Residual::parallelShared);
    EXPECT_EQ(small.qkv, QkvLayout::blocked);
    EXPECT_EQ(small.keyValueHeads, 1);
    EXPECT_EQ(small.feedForward, 256);
    c["new_decoder_architecture"] = true;
    c["num_kv_heads"] = 2;
    const ModelConfig large = parseModelConfig(c, "");
    EXPECT_EQ(large.residual, Residual::parallel);
    EXPECT_EQ(large.qkv, QkvLayout::grouped);
    EXPECT_EQ(std::string(large.attentionNorm), "ln_attn");
    c["parallel_attn"] = false;
    EXPECT_THAT(refusal(c), HasSubstr("parallel_attn"));
}

struct BadValue {
    const char* key;
    const char* json;
};
class ConfigRefusal : public ::testing::TestWithParam<BadValue> {};
TEST_P(ConfigRefusal, NamesTheKey) {
    Json c = llama();
    c[GetParam().key] = Json::parse(GetParam().json);
    EXPECT_THAT(refusal(c), ::testing::Not("accepted")) << GetParam().json;
    EXPECT_THAT(refusal(c),
                ::testing::AnyOf(HasSubstr(GetParam().key), HasSubstr("rotary"), HasSubstr("activation"),
                                 HasSubstr("factor"), HasSubstr("quantized")));
}
INSTANTIATE_TEST_SUITE_P(
    Values, ConfigRefusal,
    ::testing::Values(BadValue{"hidden_size", "0"}, BadValue{"hidden_size", "-64"},
                      BadValue{"hidden_size", "64.5"}, BadValue{"hidden_size", "\"64\""},
                      BadValue{"hidden_size", "36893488147419103232"}, BadValue{"hidden_size", "null"},
                      BadValue{"num_hidden_layers", "0"}, BadValue{"num_hidden_layers", "1000000000"},
                      BadValue{"num_attention_heads", "3"}, BadValue{"num_key_value_heads", "0"},
                      BadValue{"num_key_value_heads", "3"}, BadValue{"num_key_value_heads", "8"},
                      BadValue{"head_dim", "15"}, BadValue{"rms_norm_eps", "\"1e-5\""},
                      BadValue{"rms_norm_eps", "-1"}, BadValue{"hidden_act", "\"mish\""},
                      BadValue{"rope_theta", "0"}, BadValue{"rope_scaling", "[1]"},
                      BadValue{"rope_scaling", "{\"rope_type\": \"yarn\", \"factor\": 2}"},
                      BadValue{"rope_scaling", "{\"type\": \"linear\", \"factor\": 0}"},
                      BadValue{"rope_scaling", "{\"rope_type\": \"llama3\", \"factor\": 8}"},
                      BadValue{"max_position_embeddings", "0"}, BadValue{"vocab_size", "0"},
                      BadValue{"attention_bias", "1"},
                      BadValue{"quantization_config", "{\"quant_method\": \"awq\"}"}));

}  // namespace
}  // namespace owq
