// SPDX-License-Identifier: Apache-2.0
// A small linear quantized so that a person can follow: what the range search chose among, and what each step of the column loop did.
#pragma once
#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/quantize/quantize.h"

namespace owq {

/// What the range search of kernels/range_search.h looks at for one row, with 100 candidates of the step size.
struct GridTable {
    int steps = 100, levels = 7;  ///< candidates of the step size; largest code
    float range = 0;              ///< max(0, max x) - min(0, min x)
    std::vector<double> error;    ///< [steps, levels + 1]: mean |s_i (clamp(rint(x / s_i) + z, 0, levels) - z) - x|^2.4
    int step = 1, zero = 0;       ///< the first of the least errors: i from 1, z from 0

    /// s_i
    float stepSize(int i) const { return std::max(range / float(steps) * float(i) / float(levels), 1e-8f); }
    double at(int i, int z) const { return error[size_t(i - 1) * size_t(levels + 1) + size_t(z)]; }
};

/// `excluded`: [columns] flags of values that do not count (weak columns), or null.
GridTable gridTable(const float* values, const uint8_t* excluded, int64_t columns, int bits);

/// One column's turn. Matrices are row-major with their columns in the loop's order.
struct TraceStep {
    std::vector<float> before;   ///< [rows, columns]: columns that had their turn are quantized, later ones carry the compensation so far
    std::vector<uint8_t> codes;  ///< [rows]
    std::vector<float> rounded;  ///< [rows]: q = scale (code - zero)
    std::vector<float> error;    ///< [rows]: e = (w - q) / U_jj
    double loss = 0;             ///< Σ e² / 2 over rows
};

/// The column loop in its spreading form (Eqs. 1-2): w_k -= e U_jk for every later column k.
struct ColumnTrace {
    int64_t rows = 0, columns = 0;
    LinearOutcome outcome;         ///< of quantizeLinear, which this explains; its order is the loop's
    std::vector<float> hessian;    ///< [columns, columns]: H with damping, in the loop's order
    std::vector<float> factor;     ///< [columns, columns]: U with Uᵀ U = H⁻¹, upper triangular
    std::vector<GridTable> grids;  ///< of each row
    std::vector<TraceStep> steps;  ///< of each column that is not weak
    std::vector<float> last;       ///< [rows, columns] after the last step; weak columns not yet rounded to 16 bit
    double outputError = 0;        ///< outputError(weight - last, hessian): equals the sum of the steps' losses
};

/// Arguments as for quantizeLinear. Meant for small matrices: everything is kept. Throws Error for recipes that do something else than
/// one loop over searched grids per row, and where H cannot be factored.
ColumnTrace traceColumns(const float* weight, int64_t rows, int64_t columns, const float* hessian, const LinearRecipe& recipe,
                         std::stop_token stop = {});

/// ½ Σ over rows of Δ H Δᵀ (Eq. 5). change: Δ [rows, columns]; hessian: [columns, columns], in the same order.
double outputError(const std::vector<float>& change, const std::vector<float>& hessian, int64_t columns);

}  // namespace owq
