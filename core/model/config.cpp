// SPDX-License-Identifier: Apache-2.0
#include "core/model/config.h"

#include <array>
#include <string_view>
#include <utility>

#include "core/model/family.h"

namespace owq {
namespace {

int64_t sized(const Json& config, const char* key, int64_t largest, const std::string& where) {
    const int64_t value = required<int64_t>(config, key, where);
    if (value < 1 || value > largest)
        throw Error(std::string(key) + " is " + std::to_string(value) + ", which no model has", where,
                    "It must be between 1 and " + std::to_string(largest) + ".");
    return value;
}

double within(const Json& object, const char* key, double smallest, double largest,
              const std::string& where) {
    const double value = required<double>(object, key, where);
    if (!(value >= smallest && value <= largest))
        throw Error(std::string(key) + " is " + object.at(key).dump() + ", which is out of range", where,
                    "Correct the number in the file.");
    return value;
}

/// One id, a list of ids, or nothing.
std::vector<int64_t> tokenIds(const Json& config, const char* key, const std::string& where) {
    if (!config.contains(key) || config.at(key).is_null()) return {};
    const Json& value = config.at(key);
    std::vector<int64_t> ids;
    if (!value.is_array()) return {required<int64_t>(config, key, where)};
    for (const Json& one : value) ids.push_back(required<int64_t>(Json{{key, one}}, key, where));
    return ids;
}

void refuseUnsupported(const Json& config, const std::string& where) {
    // Mixture of experts under the spellings in use; a dense model may carry the key with null, 0 or 1.
    for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"})
        if (config.contains(key) && config.at(key).is_number() && config.at(key).get<double>() > 1)
            throw Error("this is a mixture-of-experts model (" + std::string(key) + " is " +
                            config.at(key).dump() + "); only dense decoders are supported",
                        where, "Choose a dense model.");
    if (config.contains("quantization_config") && !config.at("quantization_config").is_null()) {
        const Json& q = config.at("quantization_config");
        const std::string method =
            q.is_object() ? optional<std::string>(q, "quant_method", "unknown", where) : "unknown";
        if (method != "owq")
            throw Error("the weights are quantized already (quant_method \"" + method + "\")", where,
                        "Open the original, unquantized checkpoint.");
    }
}

RopeConfig ropeConfig(const Json& config, const std::string& where) {
    RopeConfig rope;
    rope.kind = RopeKind::plain;
    const Json* scaling =
        nullptr;  // transformers 5 keeps theta beside the scaling, transformers 4 apart from it
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
        if (!config.contains(key) || config.at(key).is_null()) continue;
        if (!config.at(key).is_object())
            throw Error(std::string(key) + " is not an object", where, "Correct it or take it out.");
        scaling = &config.at(key);
        break;
    }
    if (scaling && scaling->contains("rope_theta"))
        rope.theta = within(*scaling, "rope_theta", 1e-3, 1e15, where);
    else if (config.contains("rope_theta"))
        rope.theta = within(config, "rope_theta", 1e-3, 1e15, where);
    if (!scaling) return rope;

    const char* key = scaling->contains("rope_type") ? "rope_type" : "type";
    const std::string kind = optional<std::string>(*scaling, key, "default", where);
    if (kind == "default") return rope;
    if (kind != "linear" && kind != "llama3")
        throw Error("rotary positions of kind \"" + kind + "\" are not supported", where,
                    "Known kinds: default, linear, llama3.");
    rope.factor = within(*scaling, "factor", 1e-6, 1e6, where);
    rope.kind = RopeKind::linear;
    if (kind == "linear") return rope;
    rope.kind = RopeKind::llama3;
    rope.lowFrequency = within(*scaling, "low_freq_factor", 1e-6, 1e6, where);
    rope.highFrequency = within(*scaling, "high_freq_factor", 1e-6, 1e6, where);
    rope.originalPositions = sized(*scaling, "original_max_position_embeddings", int64_t(1) << 30, where);
    if (rope.highFrequency <= rope.lowFrequency)
        throw Error("high_freq_factor is not above low_freq_factor", where, "Correct the rope scaling.");
    return rope;
}

}  // namespace

Activation activationFromName(const std::string& name, const std::string& where) {
    static constexpr std::array<std::pair<std::string_view, Activation>, 8> kKnown{
        {{"relu", Activation::relu},
         {"silu", Activation::silu},
         {"swish", Activation::silu},
         {"gelu", Activation::gelu},
         {"gelu_new", Activation::geluTanh},
         {"gelu_pytorch_tanh", Activation::geluTanh},
         {"gelu_fast", Activation::geluTanh},
         {"gelu_python", Activation::gelu}}};
    for (const auto& [known, activation] : kKnown)
        if (known == name) return activation;
    throw Error("unknown activation \"" + name + "\"", where,
                "Known: relu, silu, gelu, gelu_new, gelu_pytorch_tanh.");
}

void configureLlama(const Json& config, const std::string& where, ModelConfig& out) {
    out.norm = NormKind::rms;
    out.normEpsilon = config.contains("rms_norm_eps") ? within(config, "rms_norm_eps", 0, 1, where) : 1e-6;
    out.feedForward = sized(config, "intermediate_size", int64_t(1) << 20, where);
    out.activation = activationFromName(optional<std::string>(config, "hidden_act", "silu", where), where);
    // In LLaMA one key decides for all four projections, the output's too.
    out.attentionBias = out.outputBias = optional<bool>(config, "attention_bias", false, where);
    out.feedForwardBias = optional<bool>(config, "mlp_bias", false, where);
    out.rope = ropeConfig(config, where);
    if (optional<double>(config, "partial_rotary_factor", 1, where) != 1)
        throw Error("partial_rotary_factor is not supported for LLaMA", where, "Choose another model.");
    if (out.headSize % 2)
        throw Error("head_dim is " + std::to_string(out.headSize) + "; an odd head size cannot be rotated",
                    where, "Correct head_dim.");
}

void configureOpt(const Json& config, const std::string& where, ModelConfig& out) {
    out.norm = NormKind::layer;
    out.normEpsilon = 1e-5;  // fixed: OPT's config has no key for it
    out.feedForward = sized(config, "ffn_dim", int64_t(1) << 20, where);
    out.activation =
        activationFromName(optional<std::string>(config, "activation_function", "relu", where), where);
    out.attentionBias = out.outputBias = out.feedForwardBias =
        optional<bool>(config, "enable_bias", true, where);
    out.normAffine = optional<bool>(config, "layer_norm_elementwise_affine", true, where);
    out.normFirst = optional<bool>(config, "do_layer_norm_before", true, where);
    out.finalNorm = out.normFirst && !optional<bool>(config, "_remove_final_layer_norm", false, where);
    if (config.contains("word_embed_proj_dim") && !config.at("word_embed_proj_dim").is_null())
        out.embedding = sized(config, "word_embed_proj_dim", int64_t(1) << 20, where);
}

ModelConfig parseModelConfig(const Json& config, const std::string& where) {
    if (!config.is_object())
        throw Error("the configuration is not a JSON object", where,
                    "Take config.json from the model's publisher.");
    ModelConfig out;
    out.family = &familyOf(config, where);
    refuseUnsupported(config, where);
    out.hidden = sized(config, "hidden_size", int64_t(1) << 20, where);
    out.embedding = out.hidden;
    out.blocks = int(sized(config, "num_hidden_layers", 4096, where));
    out.heads = sized(config, "num_attention_heads", 4096, where);
    out.keyValueHeads = out.heads;
    if (config.contains("num_key_value_heads") && !config.at("num_key_value_heads").is_null())
        out.keyValueHeads = sized(config, "num_key_value_heads", out.heads, where);
    if (out.heads % out.keyValueHeads)
        throw Error("num_attention_heads (" + std::to_string(out.heads) +
                        ") is no multiple of num_key_value_heads (" + std::to_string(out.keyValueHeads) + ")",
                    where, "Correct the file.");
    if (config.contains("head_dim") && !config.at("head_dim").is_null()) {
        out.headSize = sized(config, "head_dim", 4096, where);
    } else {
        if (out.hidden % out.heads)
            throw Error("hidden_size (" + std::to_string(out.hidden) +
                            ") is no multiple of num_attention_heads (" + std::to_string(out.heads) + ")",
                        where, "Correct the file.");
        out.headSize = out.hidden / out.heads;
    }
    out.vocabulary = sized(config, "vocab_size", int64_t(1) << 26, where);
    out.maxPositions = config.contains("max_position_embeddings")
                           ? sized(config, "max_position_embeddings", int64_t(1) << 30, where)
                           : 2048;
    out.tiedHead = optional<bool>(config, "tie_word_embeddings", out.family->headTiedByDefault, where);
    out.eos = tokenIds(config, "eos_token_id", where);
    out.bos = optional<int64_t>(config, "bos_token_id", -1, where);
    out.family->configure(config, where, out);
    return out;
}

}  // namespace owq
