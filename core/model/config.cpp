// SPDX-License-Identifier: Apache-2.0
#include "core/model/config.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/model/config_values.h"

namespace owq {

int64_t sizedValue(const Json& config, const char* key, int64_t largest, const std::string& where) {
    const int64_t value = required<int64_t>(config, key, where);
    if (value < 1 || value > largest)
        throw Error(std::string(key) + " is " + std::to_string(value) + ", which no model has", where,
                    "It must be between 1 and " + std::to_string(largest) + ".");
    return value;
}

double valueWithin(const Json& object, const char* key, double smallest, double largest,
                   const std::string& where) {
    const double value = required<double>(object, key, where);
    if (!(value >= smallest && value <= largest))
        throw Error(std::string(key) + " is " + object.at(key).dump() + ", which is out of range", where,
                    "Correct the number in the file.");
    return value;
}

const char* firstKey(const Json& config, const ConfigKeys::Names& keys) {
    for (const char* key : keys)
        if (config.contains(key) && !config.at(key).is_null()) return key;
    return nullptr;
}

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

namespace {

/// The first of the keys that is there; the error for a missing one names the first.
int64_t sizedFirst(const Json& config, const ConfigKeys::Names& keys, int64_t largest, const std::string& where) {
    const char* key = firstKey(config, keys);
    return sizedValue(config, key ? key : keys.front(), largest, where);
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
        if (method != "owq" && method != "gptq")
            throw Error("the weights are quantized already (quant_method \"" + method + "\")", where,
                        "Open the original, unquantized checkpoint, or a packed model of owq or GPTQ.");
    }
}

void readHeads(const Json& config, const ConfigKeys& keys, const std::string& where, ModelConfig& out) {
    out.heads = sizedFirst(config, keys.heads, 4096, where);
    out.keyValueHeads = out.heads;
    if (const char* key = firstKey(config, keys.keyValueHeads)) out.keyValueHeads = sizedValue(config, key, out.heads, where);
    if (out.heads % out.keyValueHeads)
        throw Error("num_attention_heads (" + std::to_string(out.heads) +
                        ") is no multiple of num_key_value_heads (" + std::to_string(out.keyValueHeads) + ")",
                    where, "Correct the file.");
    if (config.contains("head_dim") && !config.at("head_dim").is_null()) {
        out.headSize = sizedValue(config, "head_dim", 4096, where);
    } else if (keys.headSizeDefault) {
        out.headSize = keys.headSizeDefault;
    } else {
        if (out.hidden % out.heads)
            throw Error("hidden_size (" + std::to_string(out.hidden) +
                            ") is no multiple of num_attention_heads (" + std::to_string(out.heads) + ")",
                        where, "Correct the file.");
        out.headSize = out.hidden / out.heads;
    }
}

}  // namespace

ModelConfig parseModelConfig(const Json& config, const std::string& where) {
    if (!config.is_object())
        throw Error("the configuration is not a JSON object", where,
                    "Take config.json from the model's publisher.");
    const Family& family = familyOf(config, where);
    const ConfigKeys& keys = family.keys;
    refuseUnsupported(config, where);
    constexpr int64_t kWidest = int64_t(1) << 20;
    ModelConfig out;
    static_cast<BlockDesign&>(out) = family.design;
    out.family = &family;
    out.hidden = out.embedding = sizedFirst(config, keys.hidden, kWidest, where);
    out.blocks = int(sizedFirst(config, keys.blocks, 4096, where));
    readHeads(config, keys, where, out);
    out.feedForward = keys.feedForwardTimes && !firstKey(config, keys.feedForward)
                          ? keys.feedForwardTimes * out.hidden
                          : sizedFirst(config, keys.feedForward, kWidest, where);
    out.vocabulary = sizedValue(config, "vocab_size", int64_t(1) << 26, where);
    const char* positions = firstKey(config, keys.positions);
    out.maxPositions = positions ? sizedValue(config, positions, int64_t(1) << 30, where) : 2048;
    const char* epsilon = firstKey(config, keys.epsilon);
    out.normEpsilon = epsilon ? valueWithin(config, epsilon, 0, 1, where) : keys.epsilonDefault;
    if (const char* key = firstKey(config, keys.activation))
        out.activation = activationFromName(required<std::string>(config, key, where), where);
    out.tiedHead = optional<bool>(config, "tie_word_embeddings", family.headTiedByDefault, where);
    out.eos = tokenIds(config, "eos_token_id", where);
    out.bos = optional<int64_t>(config, "bos_token_id", -1, where);
    if (family.configure) family.configure(config, where, out);
    if (out.positions == Positions::rotary) out.rope = ropeConfig(config, keys, out.headSize, where);
    out.windows = windowSizes(config, family, out.blocks, where);
    return out;
}

std::vector<int64_t> endTokens(std::vector<int64_t> eos, const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "generation_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return eos;
    const Json generation = readJson(file);
    if (!generation.is_object()) throw Error("the configuration is not a JSON object", file.string(), "Take it from the model's publisher.");
    for (const int64_t id : tokenIds(generation, "eos_token_id", file.string()))
        if (std::find(eos.begin(), eos.end(), id) == eos.end()) eos.push_back(id);
    return eos;
}

}  // namespace owq
