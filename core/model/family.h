// SPDX-License-Identifier: Apache-2.0
// The family table: how each architecture names its tensors, which numbers its config holds and how its blocks
// compute. A new family is a new entry (CONTRIBUTING.md).
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/tensor.h"
#include "core/model/config.h"
#include "core/model/model_info.h"

namespace owq {

struct FamilyLinear {
    const char* kind;   ///< q, k, v or qkv, o, gate and up or gate_up, down
    const char* name;   ///< within the block: "self_attn.q_proj"
    const char* group;  ///< shared input: "self_attn.qkv"
    bool feedForward;
};

/// Keys of config.json, the first one that is there counts, and what stands in for a missing one.
struct ConfigKeys {
    using Names = std::vector<const char*>;
    Names hidden{"hidden_size"}, blocks{"num_hidden_layers"}, heads{"num_attention_heads"},
        keyValueHeads{"num_key_value_heads"}, feedForward{"intermediate_size"}, positions{"max_position_embeddings"};
    Names epsilon{"rms_norm_eps"}, activation{"hidden_act"}, theta{"rope_theta"};
    Names rotaryShare{};         ///< share of a head that turns; families without it turn all
    double rotaryShareDefault = 1;
    double epsilonDefault = 1e-6;
    int64_t headSizeDefault = 0;     ///< where head_dim is missing; 0: hidden / heads
    int64_t feedForwardTimes = 0;    ///< feed-forward width in hidden sizes where its key is missing; 0: it must be there
};

/// Which blocks see a window of sliding_window keys.
enum class WindowRule {
    none,
    all,      ///< every block, where the number is given
    chosen    ///< by use_sliding_window and max_window_layers, or layer_types
};

struct Family {
    const char* name;
    std::vector<std::string> modelTypes, architectures;
    std::vector<std::string>
        prefixes;  ///< of the base model, the usual one first; some files lack parts of it
    const char* blocks = "layers";
    const char* tokens = "embed_tokens";
    const char* embeddingNorm = nullptr;  ///< after the token embedding
    const char* learned =
        nullptr;  ///< learned positions; its table has `positionOffset` extra rows in front
    int64_t positionOffset = 0;
    const char* finalNorm = "norm";
    const char* head = "lm_head";
    std::vector<FamilyLinear> linears;  ///< in the order they are quantized
    bool storedTransposed = false;      ///< weights of these linears are stored [in, out]
    double weakRatio = 0.375;
    bool headTiedByDefault = false;
    BlockDesign design;
    ConfigKeys keys;
    WindowRule windows = WindowRule::none;
    int64_t windowDefault = 0;  ///< where sliding_window is missing (null is none)
    /// Reads what is special to the family; all that the keys name is read before.
    void (*configure)(const Json& config, const std::string& where, ModelConfig& out) = nullptr;
};

const std::vector<Family>& families();
/// By model_type, or by architectures[0] when there is no model_type. Error with the known names otherwise.
const Family& familyOf(const Json& config, const std::string& where);

/// What a lookup knows of one tensor.
struct TensorShape {
    DType dtype = DType::f16;
    std::vector<int64_t> shape;
};
using ShapeLookup = std::function<std::optional<TensorShape>(const std::string& name)>;

/// Names of a model's tensors as its files spell them.
struct ModelNames {
    std::string prefix;  ///< "model.", "model.decoder.", "decoder." or ""
    std::string tokens, embeddingNorm, positions, finalNorm, head, projectIn,
        projectOut;  ///< without ".weight"; empty where there is none
    std::string block(const Family& family, int index) const;  ///< "model.layers.3."
};
ModelNames resolveNames(const ModelConfig& config, const ShapeLookup& find, const std::string& where);

/// Checks that every tensor is there with its shape and a floating dtype (quantized linears are looked up by
/// their ".weight" too) and returns what is known without reading any. Throws Error naming the first tensor
/// that is missing or misshaped.
ModelInfo buildModelInfo(const ModelConfig& config, const ModelNames& names, const ShapeLookup& find,
                         const std::string& where);

}  // namespace owq
