// SPDX-License-Identifier: Apache-2.0
// The bodies that exist once per instruction set. They are written with 8-lane vectors, without FMA and in one fixed order
// of operations, so that every instruction set gives the same bits.
#pragma once
#include <cstdint>

namespace owq::kernels {

/// The search looks at the middle of a row in runs of so many values, a multiple of its vectors.
constexpr int kSearchRun = 64;

/// A row made ready for the search.
struct SortedRow {
    const float* x;   ///< [count] ascending and different, multiplied by `norm`; 16 readable zeros follow
    const float* times;  ///< [count] how often each value occurs; 16 zeros follow
    float* error;     ///< scratch, [count + 16]
    double* middle;   ///< scratch, [count / kSearchRun + 1]
    int64_t count;
    float norm;       ///< power of two that brings the row's range near 1, so that no power over- or underflows
};

struct SearchRule {
    float range;             ///< of the row, not multiplied by norm
    float divisor;           ///< step size = range / steps * i / divisor
    int steps;
    int levels;              ///< largest code
    int zeroFrom, zeroTo;    ///< zero points to try
};

struct SearchResult {
    int step = 1;  ///< i
    int zero = 0;
};

/// Up to kTileRows rows of one block of columns, transposed: lane r of w[column * kTileRows + r].
constexpr int kTileRows = 16;
struct Tile {
    float* w;                ///< [columns, kTileRows] in: weights; out: quantized values, or w - q where `original` is given
    const float* original;   ///< [columns, kTileRows] or null (kernels/column_loop.h has the two forms)
    float* error;            ///< [columns, kTileRows] out: (w - q) / pivot, or original - q
    uint8_t* codes;          ///< [columns, kTileRows] out
    int64_t columns;
    const float* factor;     ///< [columns, columns] transposed: column k takes away Σ error_j factor[k * columns + j] over j < k
    const float* pivot;      ///< [columns]
    const float* scale;      ///< [grids, kTileRows]
    const float* zero;       ///< [grids, kTileRows]
    const int32_t* grid;     ///< [columns] index of each column's grid
    int levels;
};

struct QuantizeTable {
    SearchResult (*searchRow)(const SortedRow&, const SearchRule&);
    void (*roundRow)(const float* w, int64_t count, float scale, float zero, int levels, uint8_t* codes, float* values);
    void (*quantizeTile)(const Tile&);
};

/// The fastest allowed one (kernels/cpu/features.h).
const QuantizeTable& quantizeTable();

namespace scalar { extern const QuantizeTable table; }
namespace avx2 { extern const QuantizeTable table; }

}  // namespace owq::kernels
