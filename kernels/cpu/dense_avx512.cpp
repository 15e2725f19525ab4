// SPDX-License-Identifier: Apache-2.0
// Compiled for this instruction set (kernels/CMakeLists.txt); reached only where the processor has it.
#define OWQ_SET avx512
#define OWQ_LANES 16
#define OWQ_ROWS 12
#include "kernels/cpu/dense_tile.inc"
