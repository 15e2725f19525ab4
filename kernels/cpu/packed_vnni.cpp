// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX-512 F, BW, VL and VNNI (kernels/CMakeLists.txt); reached only where the processor has them.
#define OWQ_SET vnni
#if defined(__AVX512VNNI__)
#include <immintrin.h>

#include "kernels/cpu/amx_tiles.h"
#define OWQ_TILES AmxTiles
#define OWQ_WIDEN_HALFS(halfs) _mm256_cvtph_ps((__m128i)(halfs))
#define OWQ_TWO_ROWS
#define OWQ_BOTH(p) _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i*)(p)))
#define OWQ_DOT(sums, codes, x) _mm512_dpbusd_epi32((__m512i)(sums), (__m512i)(codes), (__m512i)(x))
#define OWQ_LOOKUP(table, ints) _mm512_permutexvar_ps((__m512i)(ints), (__m512)(table))
#endif
#include "kernels/cpu/packed_tile.inc"

#ifndef OWQ_TILES
// Another processor: nobody gets there.
namespace owq::kernels::vnni {
const PackedTable tilesTable{multiplyTile, roundInputs, fieldSums, encode, decode};
}  // namespace owq::kernels::vnni
#endif
