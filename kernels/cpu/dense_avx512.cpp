// SPDX-License-Identifier: Apache-2.0
// Compiled for this instruction set (kernels/CMakeLists.txt); reached only where the processor has it.
#define OWQ_SET avx512
#define OWQ_LANES 16
#define OWQ_ROWS 12
#include <immintrin.h>
#define OWQ_WIDEN_HALFS(p) (Floats) _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))
#include "kernels/cpu/dense_tile.inc"
