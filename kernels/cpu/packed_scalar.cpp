// SPDX-License-Identifier: Apache-2.0
// What every x86-64 and ARMv8 has.
#define OWQ_SET scalar
#include "kernels/cpu/packed_tile.inc"
