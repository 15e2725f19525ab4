// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX-512 VL and VNNI (kernels/CMakeLists.txt); reached only where the processor has them.
#define OWQ_SET vnni
#if defined(__AVX512VNNI__)
#include <immintrin.h>
#define OWQ_DOT(sums, codes, x) _mm256_dpbusd_epi32((__m256i)(sums), (__m256i)(codes), (__m256i)(x))
#endif
#include "kernels/cpu/packed_tile.inc"
