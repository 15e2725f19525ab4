// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace owq::kernels {

/// Causal attention of whole windows, fp32: out = softmax(scale q kᵀ, keys up to the query's own) v, for each head.
/// Made for calibration and perplexity, where the matrices of a head are too small for a library's products.
struct CausalAttention {
    const float* query;  ///< [windows, tokens, heads, headSize], likewise out
    const float* key;    ///< [windows, tokens, keyHeads, headSize], likewise value; heads / keyHeads queries share one
    const float* value;
    int64_t windows, tokens, heads, keyHeads, headSize;
    float scale;
    float* out;
};

/// Whether causalAttention takes heads of this size here (multiples of a vector or two: 32, 64, 96, 128…).
bool takesHeadSize(int64_t headSize);
/// A window's result depends neither on the other windows nor on the number of threads. Instruction sets differ by rounding.
void causalAttention(const CausalAttention& attention);

}  // namespace owq::kernels
