// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/matvec_tile.h"

namespace owq::kernels::cpu {
namespace {

// The plain definition, which the other forms are tested against.
template <int kBits, int kBatch>
void sums(const uint32_t* words, int64_t groups, const float* x, float* out) {
    float total[kBatch][8] = {};
    for (int64_t g = 0; g < groups; ++g, words += kBits * 8, x += 32 * kBatch)
        for (int i = 0; i < 32; ++i) {
            const int bit = i * kBits, word = bit / 32, shift = bit % 32;
            for (int lane = 0; lane < 8; ++lane) {
                uint32_t code = words[word * 8 + lane] >> shift;
                if (shift + kBits > 32) code |= words[(word + 1) * 8 + lane] << (32 - shift);
                const float q = float(code & ((1u << kBits) - 1));
                for (int t = 0; t < kBatch; ++t) total[t][lane] += q * x[i * kBatch + t];
            }
        }
    for (int t = 0; t < kBatch; ++t)
        for (int lane = 0; lane < 8; ++lane) out[t * 8 + lane] = total[t][lane];
}

template <int kBits>
constexpr TileSums kTable[kTokens] = {sums<kBits, 1>, sums<kBits, 2>, sums<kBits, 3>, sums<kBits, 4>,
                                      sums<kBits, 5>, sums<kBits, 6>, sums<kBits, 7>, sums<kBits, 8>};

}  // namespace

TileKernel tileKernelScalar(int bits, int tokens) {
    return {(bits == 3 ? kTable<3> : kTable<4>)[tokens - 1], 0, false};
}

}  // namespace owq::kernels::cpu
