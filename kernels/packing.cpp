// SPDX-License-Identifier: Apache-2.0
#include "kernels/packing.h"

#include <algorithm>

namespace owq::kernels {
namespace {

// 32 codes make one stream of 32 * kBits bits, lowest first. For 3 bits that splits codes 10 and 21 over two
// words; no other width splits any. So one rule serves every width.
template <int kBits>
void packGroup(const uint8_t* codes, uint32_t* words) {
    for (int i = 0; i < kBits; ++i) words[i] = 0;
    for (int i = 0; i < 32; ++i) {
        const int bit = i * kBits, word = bit / 32, shift = bit % 32;
        const uint32_t code = codes[i] & ((1u << kBits) - 1);
        words[word] |= code << shift;
        if (shift + kBits > 32) words[word + 1] |= code >> (32 - shift);
    }
}

template <int kBits>
void unpackGroup(const uint32_t* words, uint8_t* codes) {
    for (int i = 0; i < 32; ++i) {
        const int bit = i * kBits, word = bit / 32, shift = bit % 32;
        uint32_t code = words[word] >> shift;
        if (shift + kBits > 32) code |= words[word + 1] << (32 - shift);
        codes[i] = uint8_t(code & ((1u << kBits) - 1));
    }
}

// Rows outside, so that the codes are read in order; strips of rows keep the words they share a cache line
// with warm.
constexpr int64_t kStrip = 16;

template <int kBits>
void packAll(const uint8_t* codes, int64_t rows, int64_t columns, int32_t* words) {
    for (int64_t strip = 0; strip < rows; strip += kStrip)
        for (int64_t group = 0; group < columns / 32; ++group)
            for (int64_t r = strip; r < std::min(rows, strip + kStrip); ++r) {
                uint32_t packed[kBits];
                packGroup<kBits>(codes + r * columns + group * 32, packed);
                for (int i = 0; i < kBits; ++i) words[(group * kBits + i) * rows + r] = int32_t(packed[i]);
            }
}

template <int kBits>
void unpackAll(const int32_t* words, int64_t rows, int64_t columns, uint8_t* codes) {
    for (int64_t strip = 0; strip < rows; strip += kStrip)
        for (int64_t group = 0; group < columns / 32; ++group)
            for (int64_t r = strip; r < std::min(rows, strip + kStrip); ++r) {
                uint32_t packed[kBits];
                for (int i = 0; i < kBits; ++i) packed[i] = uint32_t(words[(group * kBits + i) * rows + r]);
                unpackGroup<kBits>(packed, codes + r * columns + group * 32);
            }
}

}  // namespace

void packCodes(const uint8_t* codes, int64_t rows, int64_t columns, int bits, int32_t* words) {
    switch (bits) {
        case 2:
            return packAll<2>(codes, rows, columns, words);
        case 3:
            return packAll<3>(codes, rows, columns, words);
        case 4:
            return packAll<4>(codes, rows, columns, words);
        case 8:
            return packAll<8>(codes, rows, columns, words);
        default:
            return;
    }
}

void unpackCodes(const int32_t* words, int64_t rows, int64_t columns, int bits, uint8_t* codes) {
    switch (bits) {
        case 2:
            return unpackAll<2>(words, rows, columns, codes);
        case 3:
            return unpackAll<3>(words, rows, columns, codes);
        case 4:
            return unpackAll<4>(words, rows, columns, codes);
        case 8:
            return unpackAll<8>(words, rows, columns, codes);
        default:
            return;
    }
}

}  // namespace owq::kernels
