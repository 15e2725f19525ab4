// SPDX-License-Identifier: Apache-2.0
// The family table: how each architecture names its tensors and which numbers its config holds. A new family
// is a new entry.
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
    const char* kind;   ///< q, k, v, o, gate, up, down
    const char* name;   ///< within the block: "self_attn.q_proj"
    const char* group;  ///< shared input: "self_attn.qkv"
    bool feedForward;
};

struct Family {
    const char* name;
    std::vector<std::string> modelTypes, architectures;
    std::vector<std::string>
        prefixes;  ///< of the base model, the usual one first; some files lack parts of it
    const char* blocks = "layers";
    const char* tokens = "embed_tokens";
    const char* positions =
        nullptr;  ///< learned positions; its table has `positionOffset` extra rows in front
    int64_t positionOffset = 0;
    const char* finalNorm = "norm";
    const char* head = "lm_head";
    const char* attentionNorm = "input_layernorm";
    const char* feedForwardNorm = "post_attention_layernorm";
    std::vector<FamilyLinear> linears;  ///< in the order they are quantized
    double weakRatio = 0.375;
    bool headTiedByDefault = false;
    /// Reads what is special to the family; sizes common to all are read before.
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
    std::string tokens, positions, finalNorm, head, projectIn,
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
