// SPDX-License-Identifier: Apache-2.0
#define OWQ_SET scalar
#include "kernels/cpu/quantize_bodies.inc"
