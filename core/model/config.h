// SPDX-License-Identifier: Apache-2.0
// config.json as typed, checked numbers. Understands both spellings: rope_theta, rope_scaling (transformers
// 4) and rope_parameters (transformers 5).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace owq {

struct Family;

enum class Activation { relu, gelu, geluTanh, silu };
enum class NormKind { layer, rms };
enum class RopeKind { none, plain, linear, llama3 };

/// Rotary positions. `llama3` scales each frequency by its wavelength, `linear` divides all by `factor`.
struct RopeConfig {
    RopeKind kind = RopeKind::none;
    double theta = 10000, factor = 1, lowFrequency = 1, highFrequency = 4;
    int64_t originalPositions = 0;
};

/// All sizes are positive and small enough that products of any three fit an int64.
struct ModelConfig {
    const Family* family = nullptr;
    int blocks = 0;
    int64_t hidden = 0, heads = 0, keyValueHeads = 0, headSize = 0, feedForward = 0, vocabulary = 0,
            maxPositions = 0;
    int64_t embedding =
        0;  ///< width of the token table; another than hidden means project_in and project_out (opt-350m)
    NormKind norm = NormKind::rms;
    double normEpsilon = 1e-5;
    bool normAffine = true;  ///< norms have weight (and bias)
    bool normFirst = true;   ///< norm before attention and feed-forward; false: after each residual sum
    bool finalNorm = true;
    Activation activation = Activation::silu;
    bool attentionBias = false;  ///< q, k, v
    bool outputBias = false;     ///< attention output
    bool feedForwardBias = false;
    bool tiedHead = false;
    RopeConfig rope;
    int64_t bos = -1;
    std::vector<int64_t> eos;

    bool learnedPositions() const { return rope.kind == RopeKind::none; }
};

/// `where` names the file in errors. Throws Error: a number missing, of the wrong kind or out of range; an
/// architecture that is not in the family table (with those that are), mixture of experts, an unknown
/// activation or rope kind, weights quantized by another tool.
ModelConfig parseModelConfig(const Json& config, const std::string& where);

}  // namespace owq
