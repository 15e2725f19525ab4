// SPDX-License-Identifier: Apache-2.0
// The inner loop of PackedMatrix::multiply: one tile of 8 rows against 1…8 tokens.
#pragma once
#include <cstdint>

namespace owq::kernels::cpu {

constexpr int kTokens = 8;  ///< most tokens of one call

/// words: [groups * bits, 8], 32 columns a group. x: [groups * 32, tokens]. sums: [tokens, 8], set to Σ_c
/// (code - centre) x.
using TileSums = void (*)(const uint32_t* words, int64_t groups, const float* x, float* sums);

struct TileKernel {
    TileSums sums = nullptr;
    float centre = 0;
    /// x of a 4-bit column c must come multiplied by 16^-(c % 8), but for c % 8 = 7: the kernel then leaves
    /// the codes where they lie in their word. Exact: only the exponent changes, and the products are the
    /// same.
    bool scaledInputs = false;
};

/// bits 3 or 4, tokens 1…8.
TileKernel tileKernelScalar(int bits, int tokens);
TileKernel tileKernelAvx2(int bits, int tokens);

}  // namespace owq::kernels::cpu
