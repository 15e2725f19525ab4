// SPDX-License-Identifier: Apache-2.0
// Packing of codes (kernels/packing.h): one thread makes the words of 32 codes of a row.
#pragma once
#include "kernels/cuda/thread.h"

namespace owq::kernels::cuda {

/// 32 codes make one stream of 32 * kBits bits, lowest first.
template <int kBits>
OWQ_THREAD void packGroup(const uint8_t* codes, uint32_t* words) {
    OWQ_UNROLL for (int i = 0; i < kBits; ++i) words[i] = 0;
    OWQ_UNROLL for (int i = 0; i < 32; ++i) {
        const int bit = i * kBits, word = bit / 32, shift = bit % 32;
        const uint32_t code = codes[i] & ((1u << kBits) - 1);
        words[word] |= code << shift;
        if (shift + kBits > 32) words[word + 1] |= code >> (32 - shift);
    }
}

}  // namespace owq::kernels::cuda
