// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX2 and FMA (kernels/CMakeLists.txt); reached only where the processor has them.
#define OWQ_SET avx2
#if defined(__AVX2__)
#include <immintrin.h>
#define OWQ_WIDEN_HALFS(halfs) _mm256_cvtph_ps((__m128i)(halfs))
#define OWQ_PAIRS(codes, x) _mm256_maddubs_epi16((__m256i)(codes), (__m256i)(x))
#define OWQ_WIDEN(sums) _mm256_madd_epi16((__m256i)(sums), _mm256_set1_epi16(1))
#define OWQ_LOOKUP(table, ints) _mm256_permutevar8x32_ps((__m256)(table), (__m256i)(ints))
#endif
#include "kernels/cpu/packed_tile.inc"
