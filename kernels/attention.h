// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "kernels/stored_matrix.h"

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

/// Of one new token, which sees all that is kept: out = softmax(scale q kᵀ) v, for each head.
struct TokenAttention {
    const float* query;  ///< [heads, headSize], likewise out
    const void* key;     ///< [keyHeads, tokens, headSize] of `type`, likewise value; halves finite, else what sees such a number may not be; `apart` numbers from one head to the next
    const void* value;
    StoredType type;     ///< widened in registers: with a long text a token takes as long as reading these
    int64_t tokens, heads, keyHeads, headSize, apart;
    float scale;
    float* out;
};

/// Whether causalAttention takes heads of this size here (multiples of a vector or two: 32, 64, 96, 128…).
bool takesHeadSize(int64_t headSize);
/// A window's result depends neither on the other windows nor on the number of threads. Instruction sets differ by rounding.
void causalAttention(const CausalAttention& attention);
/// Heads of any size. A head's result does not depend on the number of threads. Sums are in fp32.
void tokenAttention(const TokenAttention& attention);

}  // namespace owq::kernels
