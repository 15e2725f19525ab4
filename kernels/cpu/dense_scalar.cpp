// SPDX-License-Identifier: Apache-2.0
// Four lanes: what every x86-64 and ARMv8 has.
#define OWQ_SET scalar
#define OWQ_LANES 4
#define OWQ_ROWS 6
#include "kernels/cpu/dense_tile.inc"
