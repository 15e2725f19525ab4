// SPDX-License-Identifier: Apache-2.0
// Compiled for this instruction set (kernels/CMakeLists.txt); reached only where the processor has it.
#define OWQ_SET avx2
#define OWQ_LANES 8
#define OWQ_ROWS 6
#include <immintrin.h>
#define OWQ_WIDEN_HALFS(p) (Floats) _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))
#include "kernels/cpu/dense_tile.inc"
