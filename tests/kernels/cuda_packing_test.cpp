// SPDX-License-Identifier: Apache-2.0
// The GPU's packing of 32 codes, run on the host.
#include <gtest/gtest.h>

#include <random>

#include "kernels/cuda/packing_thread.h"
#include "kernels/packing.h"

namespace owq::kernels {
namespace {

template <int kBits>
void compare() {
    std::mt19937 random(kBits);
    std::vector<uint8_t> codes(32 * 50);
    for (uint8_t& c : codes) c = uint8_t(random() & ((1u << kBits) - 1));
    std::vector<int32_t> words(50 * kBits);
    packCodes(codes.data(), 1, int64_t(codes.size()), kBits, words.data());
    for (size_t group = 0; group < 50; ++group) {
        uint32_t packed[kBits];
        cuda::packGroup<kBits>(&codes[group * 32], packed);
        for (size_t i = 0; i < kBits; ++i) EXPECT_EQ(packed[i], uint32_t(words[group * kBits + i])) << kBits;
    }
}

TEST(CudaPackingThread, EqualsTheCpuKernel) {
    compare<2>();
    compare<3>();
    compare<4>();
    compare<8>();
}

}  // namespace
}  // namespace owq::kernels
