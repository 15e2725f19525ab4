// SPDX-License-Identifier: Apache-2.0
// Rotary positions and attention windows as config.json spells them.
#include "core/model/config_values.h"

namespace owq {
namespace {

/// The object that holds the scaling, or null. transformers 5 keeps theta in it, transformers 4 apart from it.
const Json* ropeObject(const Json& config, const std::string& where) {
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
        if (!config.contains(key) || config.at(key).is_null()) continue;
        if (!config.at(key).is_object())
            throw Error(std::string(key) + " is not an object", where, "Correct it or take it out.");
        return &config.at(key);
    }
    return nullptr;
}

/// Channels of a head that turn.
int64_t turningChannels(const Json& config, const Json* scaling, const ConfigKeys& keys, int64_t headSize,
                        const std::string& where) {
    static const ConfigKeys::Names kShare{"partial_rotary_factor"};
    double share = keys.rotaryShareDefault;
    if (scaling && firstKey(*scaling, kShare))
        share = valueWithin(*scaling, kShare.front(), 1e-3, 1, where);
    else if (const char* key = firstKey(config, keys.rotaryShare.empty() ? kShare : keys.rotaryShare))
        share = valueWithin(config, key, 1e-3, 1, where);
    if (share != 1 && keys.rotaryShare.empty())
        throw Error("partial_rotary_factor is not supported for this family", where, "Choose another model.");
    const int64_t size = int64_t(double(headSize) * share);
    if (size < 2 || size % 2)
        throw Error("head_dim is " + std::to_string(headSize) + " and " + std::to_string(size) +
                        " of its channels turn; rotary positions need an even number",
                    where, "Correct head_dim.");
    return size;
}

}  // namespace

RopeConfig ropeConfig(const Json& config, const ConfigKeys& keys, int64_t headSize, const std::string& where) {
    RopeConfig rope;
    rope.kind = RopeKind::plain;
    const Json* scaling = ropeObject(config, where);
    if (scaling && scaling->contains("rope_theta"))
        rope.theta = valueWithin(*scaling, "rope_theta", 1e-3, 1e15, where);
    else if (const char* key = firstKey(config, keys.theta))
        rope.theta = valueWithin(config, key, 1e-3, 1e15, where);
    rope.size = turningChannels(config, scaling, keys, headSize, where);
    if (!scaling) return rope;

    const char* key = scaling->contains("rope_type") ? "rope_type" : "type";
    const std::string kind = optional<std::string>(*scaling, key, "default", where);
    if (kind == "default") return rope;
    if (kind != "linear" && kind != "llama3")
        throw Error("rotary positions of kind \"" + kind + "\" are not supported", where,
                    "Known kinds: default, linear, llama3.");
    rope.factor = valueWithin(*scaling, "factor", 1e-6, 1e6, where);
    rope.kind = RopeKind::linear;
    if (kind == "linear") return rope;
    rope.kind = RopeKind::llama3;
    rope.lowFrequency = valueWithin(*scaling, "low_freq_factor", 1e-6, 1e6, where);
    rope.highFrequency = valueWithin(*scaling, "high_freq_factor", 1e-6, 1e6, where);
    rope.originalPositions = sizedValue(*scaling, "original_max_position_embeddings", int64_t(1) << 30, where);
    if (rope.highFrequency <= rope.lowFrequency)
        throw Error("high_freq_factor is not above low_freq_factor", where, "Correct the rope scaling.");
    return rope;
}

std::vector<int64_t> windowSizes(const Json& config, const Family& family, int blocks, const std::string& where) {
    // transformers 5 spells it out, block by block.
    std::vector<bool> sliding;
    if (config.contains("layer_types") && !config.at("layer_types").is_null()) {
        const Json& types = config.at("layer_types");
        if (!types.is_array() || types.size() != size_t(blocks))
            throw Error("layer_types is no list of " + std::to_string(blocks) + " names", where, "Correct it or take it out.");
        for (const Json& type : types) {
            const std::string name = required<std::string>(Json{{"layer_types", type}}, "layer_types", where);
            if (name != "full_attention" && (name != "sliding_attention" || family.windows == WindowRule::none))
                throw Error("attention of kind \"" + name + "\" is not supported for " + std::string(family.name), where,
                            "Choose another model.");
            sliding.push_back(name == "sliding_attention");
        }
    }
    if (family.windows == WindowRule::none) return {};
    // Qwen2's files name a window that is not in use.
    if (family.windows == WindowRule::chosen && !optional<bool>(config, "use_sliding_window", false, where)) return {};
    int64_t window = family.windowDefault;
    if (config.contains("sliding_window"))
        window = config.at("sliding_window").is_null() ? 0 : sizedValue(config, "sliding_window", int64_t(1) << 30, where);
    if (!window) return {};
    if (sliding.empty()) {
        const int64_t first = family.windows == WindowRule::chosen ? optional<int64_t>(config, "max_window_layers", 28, where) : 0;
        for (int b = 0; b < blocks; ++b) sliding.push_back(b >= first);
    }
    std::vector<int64_t> sizes;
    for (const bool one : sliding) sizes.push_back(one ? window : 0);
    return sizes;
}

}  // namespace owq
