// SPDX-License-Identifier: Apache-2.0
// Packing of integer codes into 32-bit words, the layout of the authors' checkpoints: words run down the input axis.
// bits 2, 4, 8: word i of a row of codes holds codes i*(32/bits)… with the first in the lowest bits. bits 3: 32 codes fill 3 words,
// the codes at 10 and 21 are split over two words.
#pragma once
#include <cstdint>

namespace owq::kernels {

/// codes [rows, columns] (columns a multiple of 32) to words [columns/32*bits, rows], transposed as the format wants it.
void packCodes(const uint8_t* codes, int64_t rows, int64_t columns, int bits, int32_t* words);
void unpackCodes(const int32_t* words, int64_t rows, int64_t columns, int bits, uint8_t* codes);

}  // namespace owq::kernels
