// SPDX-License-Identifier: Apache-2.0
// What a forward pass does to rows between its products, fp32. A row's result depends on it alone.
#pragma once
#include <cstdint>

namespace owq::kernels {

/// out[r][c] = silu(gate[r][c]) * up[r][c], silu(x) = x / (1 + exp(-x)); relative error below 1e-6. out may be gate or up.
struct GatedSilu {
    const float* gate;  ///< rows `stride` apart, likewise up
    const float* up;
    int64_t stride, rows, columns;
    float* out;  ///< [rows, columns]
};
void gatedSilu(const GatedSilu& work);

/// out[r][c] = x[r][c] / sqrt(mean of row r's squares + epsilon) * weight[c]
struct RmsNorm {
    const float* x;       ///< [rows, columns], likewise out, which may be x
    const float* weight;  ///< [columns]
    int64_t rows, columns;
    float epsilon;
    float* out;
};
void rmsNorm(const RmsNorm& work);

}  // namespace owq::kernels
