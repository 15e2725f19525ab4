// SPDX-License-Identifier: Apache-2.0
#include "kernels/packing.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace owq::kernels {
namespace {

TEST(Packing, ThreeBitCodesTenAndTwentyOneAreSplit) {
    std::vector<uint8_t> codes(32, 0);
    std::vector<int32_t> words(3);
    codes[10] = 0b101;
    packCodes(codes.data(), 1, 32, 3, words.data());
    EXPECT_EQ(uint32_t(words[0]), 0b01u << 30);
    EXPECT_EQ(uint32_t(words[1]), 0b1u);
    EXPECT_EQ(words[2], 0);
    codes[10] = 0;
    codes[21] = 0b110;
    packCodes(codes.data(), 1, 32, 3, words.data());
    EXPECT_EQ(words[0], 0);
    EXPECT_EQ(words[1], 0);
    EXPECT_EQ(words[2], 0b11);
}

TEST(Packing, FourBitFillsWordsFromTheLowestBits) {
    std::vector<uint8_t> codes(32);
    for (int i = 0; i < 32; ++i) codes[i] = uint8_t(i % 16);
    std::vector<int32_t> words(4);
    packCodes(codes.data(), 1, 32, 4, words.data());
    EXPECT_EQ(uint32_t(words[0]), 0x76543210u);
    EXPECT_EQ(uint32_t(words[1]), 0xfedcba98u);
}

TEST(Packing, WordsRunDownTheInputAxis) {
    std::vector<uint8_t> codes(2 * 64, 0);
    codes[64 + 32] = 5;  // row 1, column 32: first code of the second group
    std::vector<int32_t> words(6 * 2);
    packCodes(codes.data(), 2, 64, 3, words.data());
    for (int i = 0; i < 12; ++i) EXPECT_EQ(words[i], i == 3 * 2 + 1 ? 5 : 0) << i;
}

class PackingBits : public testing::TestWithParam<int> {};

TEST_P(PackingBits, UnpackingIsTheInverse) {
    const int bits = GetParam();
    std::mt19937 random(7);
    for (auto [rows, columns] : {std::pair{1, 32}, {2, 64}, {17, 96}, {40, 352}}) {
        std::vector<uint8_t> codes(size_t(rows) * columns), back(codes.size(), 255);
        for (uint8_t& c : codes) c = uint8_t(random() & ((1u << bits) - 1));
        std::vector<int32_t> words(size_t(columns) / 32 * bits * rows);
        packCodes(codes.data(), rows, columns, bits, words.data());
        unpackCodes(words.data(), rows, columns, bits, back.data());
        EXPECT_EQ(codes, back);
    }
}
INSTANTIATE_TEST_SUITE_P(Widths, PackingBits, testing::Values(2, 3, 4, 8));

}  // namespace
}  // namespace owq::kernels
