// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace owq {

/// [rows, columns] to [columns, rows].
template <class T>
std::vector<T> transposed(const std::vector<T>& values, int64_t rows, int64_t columns) {
    constexpr int64_t kTile = 32;  // both sides of a tile stay in the first cache
    std::vector<T> out(values.size());
    for (int64_t r0 = 0; r0 < rows; r0 += kTile)
        for (int64_t c0 = 0; c0 < columns; c0 += kTile)
            for (int64_t r = r0; r < std::min(rows, r0 + kTile); ++r)
                for (int64_t c = c0; c < std::min(columns, c0 + kTile); ++c) out[size_t(c * rows + r)] = values[size_t(r * columns + c)];
    return out;
}

}  // namespace owq
