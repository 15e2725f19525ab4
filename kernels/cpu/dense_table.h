// SPDX-License-Identifier: Apache-2.0
// The inner loops of forward passes and factorizations, once per instruction set.
#pragma once
#include <cstdint>

#include "kernels/stored_matrix.h"

namespace owq::kernels {

/// out[r][c] = (start ? start[c] : out[r][c]) + Σ_s a[r * aRow + s * aStep] * panel[s * panelWidth + c]
/// for `rows` rows and panelWidth columns. The sum over s is one chain in the order of s, begun at 0 or, where
/// `start` is given, at start[c]; so leaving out an s whose products are all 0 changes nothing.
template <class T>
struct TileOf {
    const T* a;
    int64_t aRow, aStep;
    const T* panel;
    int64_t steps;       ///< s runs over 0…steps-1, or over taken[0…steps-1]
    T* out;              ///< may be a's rows: stored when all is read
    int64_t outRow;
    const T* start;      ///< [panelWidth] or null: add to what is in out
    const int32_t* taken = nullptr;  ///< rising, or null
};
using DenseTile = TileOf<float>;

/// A few rows of a StoredMatrix, `apart` rows from one to the next.
struct StoredRows {
    const void* values;  ///< of the first row
    int64_t apart, columns;
    StoredType type;
    const float* x;      ///< [tokens, columns]
    int64_t tokens;
    float* out;          ///< of the first row's first token; the next row's is `apart` further on
    int64_t outToken;    ///< from one token's to the next one's
};

/// out[q][c] += Σ_k weight[q * weightRow + k] * values[k * columns + c], each sum one chain in the order of k
struct WeightedRows {
    const float* weight;
    int64_t weightRow;
    const void* values;
    StoredType type;
    int64_t count, columns;
    float* out;  ///< [queries, columns]
};

struct DenseTable {
    int rows;   ///< of a whole tile: as many sums as the registers hold
    int panel;  ///< columns of a tile
    void (*tile)(const DenseTile&, int rows);  ///< rows: 1…DenseTable::rows
    void (*tile64)(const TileOf<double>&, int rows);  ///< the same with panels half as wide; `taken` must be null
    void (*storedRows)(const StoredRows&, int rows);  ///< rows: 1…4
    void (*weightedRows)(const WeightedRows&, int queries);  ///< queries: 1…4
    void (*widen)(const void* values, StoredType type, int64_t count, float* out);
    /// x[i] to exp(scale (x[i] - max x)) for i < count, 0 for the rest up to `size`, a multiple of `panel`; scale > 0.
    /// Returns the sum.
    float (*expRow)(float* x, int64_t count, int64_t size, float scale);
    /// A row of kernels/row_functions.h.
    void (*gatedSiluRow)(const float* gate, const float* up, int64_t count, float* out);
    void (*rmsNormRow)(const float* x, const float* weight, int64_t count, float epsilon, float* out);
};

/// The fastest allowed one (kernels/cpu/features.h).
const DenseTable& denseTable();

namespace scalar { extern const DenseTable denseTable; }
namespace avx2 { extern const DenseTable denseTable; }
namespace avx512 { extern const DenseTable denseTable; }

}  // namespace owq::kernels
