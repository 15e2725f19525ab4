// SPDX-License-Identifier: Apache-2.0
// config.json as typed, checked numbers. Understands both spellings: rope_theta, rope_scaling (transformers
// 4) and rope_parameters (transformers 5).
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace owq {

struct Family;

enum class Activation { relu, gelu, geluTanh, silu };
enum class NormKind { layer, rms };
enum class Positions { learned, rotary, alibi };
enum class RopeKind { none, plain, linear, llama3 };

/// Rows of a linear that holds q, k and v.
enum class QkvLayout {
    separate,  ///< three linears
    blocked,   ///< all query heads, all key heads, all value heads
    grouped    ///< for each key head: its query heads, the key, the value
};

/// How attention A and feed-forward F hang on the residual stream h; N, M are the norms.
enum class Residual {
    preNorm,        ///< x = h + A(N h), x + F(M x)
    postNorm,       ///< x = N(h + A h), M(x + F x)
    normedStream,   ///< h is replaced by N h before A is added, likewise before F
    parallel,       ///< h + A(N h) + F(M h)
    parallelShared  ///< h + A(N h) + F(N h): attention and feed-forward share an input
};

/// How a block computes. The family table gives it; the configuration may change parts.
struct BlockDesign {
    NormKind norm = NormKind::rms;
    bool normAffine = true;            ///< norms have weight (and bias)
    bool normUnitOffset = false;       ///< norms multiply by 1 + weight
    const char* attentionNorm = "input_layernorm";
    const char* feedForwardNorm = "post_attention_layernorm";  ///< unused where both share one norm
    const char* queryNorm = nullptr;   ///< RMS norms over each head, before positions are applied
    const char* keyNorm = nullptr;
    Residual residual = Residual::preNorm;
    Positions positions = Positions::rotary;
    QkvLayout qkv = QkvLayout::separate;
    Activation activation = Activation::silu;
    bool attentionBias = false;    ///< q, k, v
    bool outputBias = false;       ///< attention output
    bool feedForwardBias = false;
    bool alibiScaledBf16 = false;  ///< slopes and biases are rounded to bfloat16 and scaled like the products
    bool scaledEmbedding = false;  ///< token embeddings times sqrt(hidden)
};

/// Rotary positions. `llama3` scales each frequency by its wavelength, `linear` divides all by `factor`.
struct RopeConfig {
    RopeKind kind = RopeKind::none;
    double theta = 10000, factor = 1, lowFrequency = 1, highFrequency = 4;
    int64_t originalPositions = 0;
    int64_t size = 0;  ///< channels of a head that turn, the first ones; 0: all
};

/// All sizes are positive and small enough that products of any three fit an int64.
struct ModelConfig : BlockDesign {
    const Family* family = nullptr;
    int blocks = 0;
    int64_t hidden = 0, heads = 0, keyValueHeads = 0, headSize = 0, feedForward = 0, vocabulary = 0,
            maxPositions = 0;
    int64_t embedding =
        0;  ///< width of the token table; another than hidden means project_in and project_out (opt-350m)
    double normEpsilon = 1e-5;
    bool finalNorm = true;
    bool tiedHead = false;
    RopeConfig rope;
    std::vector<int64_t> windows;  ///< per block: how many keys a query sees, its own included; 0 or absent: all
    bool scoresScaled = true;      ///< by 1/sqrt(headSize)
    bool scoresScaledByBlock = false;  ///< and by 1/(index of the block + 1)
    int64_t bos = -1;
    std::vector<int64_t> eos;

    int64_t window(int block) const { return windows.empty() ? 0 : windows[size_t(block)]; }
};

/// `where` names the file in errors. Throws Error: a number missing, of the wrong kind or out of range; an
/// architecture that is not in the family table (with those that are), mixture of experts, an unknown
/// activation or rope kind, weights quantized by another tool.
ModelConfig parseModelConfig(const Json& config, const std::string& where);

/// `eos` of the configuration, and what generation_config.json in the model's folder adds to it: models that answer end a turn by
/// tokens that only stand there. Error when that file is no object, or its eos_token_id neither an id nor a list of ids.
std::vector<int64_t> endTokens(std::vector<int64_t> eos, const std::filesystem::path& folder);

}  // namespace owq
