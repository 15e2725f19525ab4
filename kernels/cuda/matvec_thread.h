// SPDX-License-Identifier: Apache-2.0
// What one thread of the packed matrix-vector kernel does, in functions that run on the host as well
// (tests/kernels compares them with the CPU kernel). C++17, because nvcc sees it.
//
// One block takes a tile of 32 rows, a row a lane; its warps take the columns in turn, 128 at a time (a
// chunk). The inputs lie staged in shared memory, [column][token], as floats.
//
// Codes are never converted. A code q at bit p of a word is left there, the exponent of 2^23 is put above it,
// and what comes out is the float 2^23 + q 2^p. Subtracting 2^23 + z 2^p, a constant of the row, leaves (q -
// z) 2^p exactly; the input was staged times 2^-p. So a weight costs one logic operation, one subtraction and
// one FMA a token, scale is applied once after the sum, and nothing cancels: a weak slot (q = z) adds exactly
// nothing, whatever its activation is.
#pragma once
#include <cstdint>

#include "kernels/cuda/thread.h"

namespace owq::kernels::cuda {

constexpr int kTileRows = 32;  ///< rows of a block, one a lane
constexpr int kChunk = 128;    ///< columns that a warp takes at a time
constexpr int kWarps = 16;     ///< of a block
constexpr int kMaxTokens = 8;

/// Columns staged at once: at most 64 KiB of shared memory, and a whole number of turns of all warps.
OWQ_THREAD constexpr int segmentColumns(int tokens) {
    return tokens <= 2 ? 8192 : 16384 / tokens;
}

/// Words of one lane and one chunk.
OWQ_THREAD constexpr int chunkWords(int bits) {
    return kChunk / 32 * bits;
}

/// Where the code of a column lies when it is read: at bit position * bits of its (shifted) word.
OWQ_THREAD constexpr int codePosition(int bits, int column) {
    if (bits == 4) return column % 8 < 5 ? column % 8 : column % 8 - 5;
    const int inGroup = column % 32;
    if (inGroup == 10 || inGroup == 21) return 0;  // split over two words, put together at bit 0
    const int inWord = inGroup < 10 ? inGroup : inGroup < 21 ? inGroup - 11 : inGroup - 22;
    return inWord < 7 ? inWord : inWord - 7;
}
OWQ_THREAD constexpr int positions(int bits) {
    return bits == 4 ? 5 : 7;
}

/// An input as it is staged: times 2^-p.
OWQ_THREAD float stagedInput(int bits, int column, uint16_t half) {
    return floatOfHalf(half) * floatOfBits(uint32_t(127 - bits * codePosition(bits, column)) << 23);
}

/// 2^23 + z 2^p of each position.
template <int kBits>
struct ZeroPoints {
    float at[positions(kBits)];
    OWQ_THREAD explicit ZeroPoints(float zero) {
        OWQ_UNROLL for (int p = 0; p < positions(kBits); ++p) at[p] =
            8388608.0f + zero * float(1 << (p * kBits));
    }
};

/// (code - zero) 2^p of the code at position p.
template <int kBits>
OWQ_THREAD float weightAt(uint32_t word, int position, const ZeroPoints<kBits>& zeros) {
    const uint32_t mask = ((1u << kBits) - 1) << (position * kBits);
    return floatOfBits((word & mask) | 0x4b000000u) - zeros.at[position];
}

/// 32 columns from their words.
template <int kBits>
OWQ_THREAD void decodeGroup(const uint32_t* w, const ZeroPoints<kBits>& zeros, float* weights) {
    if constexpr (kBits == 4) {
        OWQ_UNROLL for (int i = 0; i < 4; ++i) {
            OWQ_UNROLL for (int c = 0; c < 5; ++c) weights[i * 8 + c] = weightAt<4>(w[i], c, zeros);
            const uint32_t high = w[i] >> 20;
            OWQ_UNROLL for (int c = 5; c < 8; ++c) weights[i * 8 + c] = weightAt<4>(high, c - 5, zeros);
        }
    } else {
        OWQ_UNROLL for (int i = 0; i < 3; ++i) {
            const uint32_t low = w[i] >> i,
                           high = w[i] >> (i + 21);  // word i begins with i bits of a split code
            OWQ_UNROLL for (int c = 0; c < 7; ++c) weights[i * 11 + c] = weightAt<3>(low, c, zeros);
            OWQ_UNROLL for (int c = 7; c < 10; ++c) weights[i * 11 + c] = weightAt<3>(high, c - 7, zeros);
        }
        weights[10] = weightAt<3>(w[0] >> 30 | w[1] << 2, 0, zeros);
        weights[21] = weightAt<3>(w[1] >> 31 | w[2] << 1, 0, zeros);
    }
}

/// A few sums a token, so that one FMA need not wait for the last.
template <int kTokens>
struct Sums {
    static constexpr int kChains = kTokens >= 4 ? 1 : 4 / kTokens;
    float value[kTokens * kChains];
    OWQ_THREAD Sums() { OWQ_UNROLL for (int i = 0; i < kTokens * kChains; ++i) value[i] = 0; }
    OWQ_THREAD float of(int token) const {
        float sum = 0;
        OWQ_UNROLL for (int c = 0; c < kChains; ++c) sum += value[token * kChains + c];
        return sum;
    }
};

struct alignas(16) FourFloats {
    float value[4];
};

/// One chunk of one row: words as they lie for this lane, inputs [kChunk, kTokens] staged and aligned to 16
/// bytes.
template <int kBits, int kTokens>
OWQ_THREAD void addChunk(const uint32_t* words, const FourFloats* inputs, const ZeroPoints<kBits>& zeros,
                         Sums<kTokens>& sums) {
    OWQ_UNROLL for (int group = 0; group < kChunk / 32; ++group) {
        float weights[32];
        decodeGroup<kBits>(words + group * kBits, zeros, weights);
        OWQ_UNROLL for (int i = 0; i < 8 * kTokens; ++i) {
            const FourFloats four = inputs[group * 8 * kTokens + i];
            OWQ_UNROLL for (int e = 0; e < 4; ++e) {
                const int column = (i * 4 + e) / kTokens, token = (i * 4 + e) % kTokens;
                float& sum = sums.value[token * Sums<kTokens>::kChains + column % Sums<kTokens>::kChains];
                sum = multiplyAdd(weights[column], four.value[e], sum);
            }
        }
    }
}

}  // namespace owq::kernels::cuda
