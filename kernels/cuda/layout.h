// SPDX-License-Identifier: Apache-2.0
// The order of the words on the GPU: tiles of 32 rows, in them chunks of 128 columns, in them 16 bytes a
// lane, so that a warp reads 512 contiguous bytes at a time. Exact and reversible; what lies beyond the last
// row or column is zero. C++17, because nvcc sees it.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/cuda/matvec_thread.h"

namespace owq::kernels::cuda {

inline int64_t tileCount(int64_t rows) {
    return (rows + kTileRows - 1) / kTileRows;
}
inline int64_t chunkCount(int64_t columns) {
    return (columns + kChunk - 1) / kChunk;
}

/// Place of word `w` (counted down the input axis) of a row.
inline int64_t gpuWordIndex(int64_t row, int64_t w, int64_t columns, int bits) {
    const int64_t perChunk = chunkWords(bits), chunk = w / perChunk, inChunk = w % perChunk;
    return (((row / kTileRows) * chunkCount(columns) + chunk) * (perChunk / 4) + inChunk / 4) *
               (kTileRows * 4) +
           row % kTileRows * 4 + inChunk % 4;
}

/// words [columns/32*bits, rows] to [tiles, chunks, words/4, 32 lanes, 4].
inline std::vector<uint32_t> gpuWords(const int32_t* words, int64_t rows, int64_t columns, int bits) {
    std::vector<uint32_t> out(size_t(tileCount(rows) * kTileRows * chunkCount(columns) * chunkWords(bits)));
    for (int64_t w = 0; w < columns / 32 * bits; ++w)
        for (int64_t r = 0; r < rows; ++r)
            out[size_t(gpuWordIndex(r, w, columns, bits))] = uint32_t(words[w * rows + r]);
    return out;
}

}  // namespace owq::kernels::cuda
