// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx2 (kernels/CMakeLists.txt).
#define OWQ_SET avx2
#include "kernels/cpu/quantize_bodies.inc"
