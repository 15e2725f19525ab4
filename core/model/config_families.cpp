// SPDX-License-Identifier: Apache-2.0
// What single families' configurations say beyond the table's keys.
#include "core/model/config_values.h"

namespace owq {

void configureOpt(const Json& config, const std::string& where, ModelConfig& out) {
    out.attentionBias = out.outputBias = out.feedForwardBias =
        optional<bool>(config, "enable_bias", true, where);
    out.normAffine = optional<bool>(config, "layer_norm_elementwise_affine", true, where);
    const bool normFirst = optional<bool>(config, "do_layer_norm_before", true, where);
    out.residual = normFirst ? Residual::preNorm : Residual::postNorm;
    out.finalNorm = normFirst && !optional<bool>(config, "_remove_final_layer_norm", false, where);
    if (config.contains("word_embed_proj_dim") && !config.at("word_embed_proj_dim").is_null())
        out.embedding = sizedValue(config, "word_embed_proj_dim", int64_t(1) << 20, where);
}

void configureLlama(const Json& config, const std::string& where, ModelConfig& out) {
    // One key decides for all four projections, the output's too.
    out.attentionBias = out.outputBias = optional<bool>(config, "attention_bias", false, where);
    out.feedForwardBias = optional<bool>(config, "mlp_bias", false, where);
}

void configureGemma(const Json& config, const std::string& where, ModelConfig& out) {
    out.attentionBias = out.outputBias = optional<bool>(config, "attention_bias", false, where);
    // "gelu" is what the first files said where they meant the tanh form.
    if (out.activation == Activation::gelu) out.activation = Activation::geluTanh;
}

void configureGpt2(const Json& config, const std::string& where, ModelConfig& out) {
    out.scoresScaled = optional<bool>(config, "scale_attn_weights", true, where);
    out.scoresScaledByBlock = optional<bool>(config, "scale_attn_by_inverse_layer_idx", false, where);
    if (optional<bool>(config, "add_cross_attention", false, where))
        throw Error("cross attention is not supported", where, "Choose a model that is a decoder only.");
}

void configureNeox(const Json& config, const std::string& where, ModelConfig& out) {
    out.attentionBias = out.outputBias = optional<bool>(config, "attention_bias", true, where);
    if (!optional<bool>(config, "use_parallel_residual", true, where)) out.residual = Residual::preNorm;
}

void configureBloom(const Json& config, const std::string& where, ModelConfig& out) {
    if (optional<bool>(config, "apply_residual_connection_post_layernorm", false, where))
        out.residual = Residual::normedStream;
}

void configureFalcon(const Json& config, const std::string& where, ModelConfig& out) {
    // The first files of the 40b shape have this model type instead of the key.
    const bool oldLarge = optional<std::string>(config, "model_type", "", where) == "RefinedWeb";
    const bool newDesign = optional<bool>(config, "new_decoder_architecture", oldLarge, where);
    const bool parallel = optional<bool>(config, "parallel_attn", true, where);
    out.attentionBias = out.outputBias = out.feedForwardBias = optional<bool>(config, "bias", false, where);
    if (optional<bool>(config, "alibi", false, where)) {
        out.positions = Positions::alibi;
        out.alibiScaledBf16 = true;
    }
    if (!newDesign) {
        const bool oneKey = optional<bool>(config, "multi_query", true, where);
        out.qkv = oneKey ? QkvLayout::blocked : QkvLayout::grouped;
        out.keyValueHeads = oneKey ? 1 : out.heads;
    }
    if (!parallel) {
        if (newDesign)
            throw Error("new_decoder_architecture without parallel_attn is not supported", where, "Choose another model.");
        out.residual = Residual::preNorm;
        return;
    }
    const int64_t norms = optional<int64_t>(config, "num_ln_in_parallel_attn", newDesign ? 2 : 1, where);
    if (norms != 1 && norms != 2)
        throw Error("num_ln_in_parallel_attn is " + std::to_string(norms), where, "It must be 1 or 2.");
    if (norms == 2) {
        out.residual = Residual::parallel;
        out.attentionNorm = "ln_attn";
        out.feedForwardNorm = "ln_mlp";
    }
}

}  // namespace owq
