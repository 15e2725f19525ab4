// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX2 and FMA; reached only where the processor has them. No standard library here: an inline
// function of it, compiled for AVX2 and picked by the linker, would crash elsewhere.
#include "kernels/cpu/matvec_tile.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace owq::kernels::cpu {
namespace {

#define OWQ_INLINE inline __attribute__((always_inline))

/// Sums of kBatch tokens. Few tokens take several sums each, so that one FMA need not wait for the last.
/// Loops are spelled as recursion, because a sum must have a constant index to live in a register.
template <int kBatch>
struct Sums {
    static constexpr int kChains = kBatch == 1 ? 4 : kBatch <= 3 ? 2 : 1;
    __m256 value[kBatch * kChains];

    OWQ_INLINE Sums() { clear<0>(); }
    template <int kIndex>
    OWQ_INLINE void clear() {
        if constexpr (kIndex < kBatch * kChains) {
            value[kIndex] = _mm256_setzero_ps();
            clear<kIndex + 1>();
        }
    }
    template <int kColumn, int kToken = 0>
    OWQ_INLINE void add(__m256 q, const float* x) {
        if constexpr (kToken < kBatch) {
            __m256& sum = value[kToken * kChains + kColumn % kChains];
            sum = _mm256_fmadd_ps(q, _mm256_broadcast_ss(x + kColumn * kBatch + kToken), sum);
            add<kColumn, kToken + 1>(q, x);
        }
    }
    template <int kToken = 0>
    OWQ_INLINE void store(float* out) {
        if constexpr (kToken < kBatch) {
            __m256 sum = value[kToken * kChains];
            if constexpr (kChains >= 2) sum = _mm256_add_ps(sum, value[kToken * kChains + 1]);
            if constexpr (kChains == 4)
                sum = _mm256_add_ps(sum,
                                    _mm256_add_ps(value[kToken * kChains + 2], value[kToken * kChains + 3]));
            _mm256_storeu_ps(out + kToken * 8, sum);
            store<kToken + 1>(out);
        }
    }
};

OWQ_INLINE __m256i load(const uint32_t* words) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(words));
}

/// 3 bits: the permutation reads only the lowest three bits of its index, so it is mask, conversion and
/// centring in one.
template <int kBatch, int kColumn>
OWQ_INLINE void threeBit(const __m256i (&w)[3], __m256 table, const float* x, Sums<kBatch>& sums) {
    if constexpr (kColumn < 32) {
        constexpr int word = kColumn * 3 / 32, shift = kColumn * 3 % 32;
        __m256i index = _mm256_srli_epi32(w[word], shift);
        if constexpr (shift > 29) index = _mm256_or_si256(index, _mm256_slli_epi32(w[word + 1], 32 - shift));
        sums.template add<kColumn>(_mm256_permutevar8x32_ps(table, index), x);
        threeBit<kBatch, kColumn + 1>(w, table, x, sums);
    }
}

template <int kBatch>
void sums3(const uint32_t* words, int64_t groups, const float* x, float* out) {
    const __m256 table = _mm256_setr_ps(-4, -3, -2, -1, 0, 1, 2, 3);
    Sums<kBatch> sums;
    for (int64_t g = 0; g < groups; ++g, words += 24, x += 32 * kBatch) {
        const __m256i w[3] = {load(words), load(words + 8), load(words + 16)};
        threeBit<kBatch, 0>(w, table, x, sums);
    }
    sums.store(out);
}

/// 4 bits: the code stays where it lies in its word, a power of 16 too large; x was made as much smaller.
template <int kBatch, int kColumn>
OWQ_INLINE void fourBit(__m256i w, const float* x, Sums<kBatch>& sums) {
    if constexpr (kColumn < 8) {
        const __m256i field = kColumn == 7 ? _mm256_srli_epi32(w, 28)
                                           : _mm256_and_si256(w, _mm256_set1_epi32(15 << (kColumn * 4 % 28)));
        sums.template add<kColumn>(_mm256_cvtepi32_ps(field), x);
        fourBit<kBatch, kColumn + 1>(w, x, sums);
    }
}

template <int kBatch>
void sums4(const uint32_t* words, int64_t groups, const float* x, float* out) {
    Sums<kBatch> sums;
    for (int64_t i = 0; i < groups * 4; ++i, words += 8, x += 8 * kBatch)
        fourBit<kBatch, 0>(load(words), x, sums);
    sums.store(out);
}

constexpr TileSums kThree[kTokens] = {sums3<1>, sums3<2>, sums3<3>, sums3<4>,
                                      sums3<5>, sums3<6>, sums3<7>, sums3<8>};
constexpr TileSums kFour[kTokens] = {sums4<1>, sums4<2>, sums4<3>, sums4<4>,
                                     sums4<5>, sums4<6>, sums4<7>, sums4<8>};

}  // namespace

TileKernel tileKernelAvx2(int bits, int tokens) {
    return bits == 3 ? TileKernel{kThree[tokens - 1], 4, false} : TileKernel{kFour[tokens - 1], 0, true};
}

}  // namespace owq::kernels::cpu

#else

namespace owq::kernels::cpu {
TileKernel tileKernelAvx2(int bits, int tokens) {
    return tileKernelScalar(bits, tokens);
}
}  // namespace owq::kernels::cpu

#endif
