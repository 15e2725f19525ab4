// SPDX-License-Identifier: Apache-2.0
#include "kernels/column_loop.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/quantize_table.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

/// Memory for kTileRows rows of a block, transposed so that a vector holds one column of several rows.
class TileRunner {
public:
    TileRunner(const ColumnBlock& block, const float* factor)
        : block_(block), factor_(factor), grids_(*std::max_element(block.grid, block.grid + block.columns) + 1),
          w_(block.columns * kTileRows), original_(block.original ? w_.size() : 0), error_(w_.size()), codes_(w_.size()), scale_(grids_ * kTileRows, 1.f),
          zero_(scale_.size(), 0.f) {}

    /// `loss` [columns]: sum of squared errors of these rows.
    void run(int64_t firstRow, double* loss) {
        const int64_t n = block_.columns, rows = std::min<int64_t>(kTileRows, block_.rows - firstRow);
        for (int64_t r = 0; r < rows; r++) {
            const float* from = block_.w + (firstRow + r) * block_.wStride;
            for (int64_t c = 0; c < n; c++) w_[c * kTileRows + r] = from[c];
            if (block_.original) {
                const float* original = block_.original + (firstRow + r) * block_.originalStride;
                for (int64_t c = 0; c < n; c++) original_[c * kTileRows + r] = original[c];
            }
            for (int64_t g = 0; g < grids_; g++) {
                scale_[g * kTileRows + r] = block_.scale[(firstRow + r) * block_.gridStride + g];
                zero_[g * kTileRows + r] = block_.zero[(firstRow + r) * block_.gridStride + g];
            }
        }
        quantizeTable().quantizeTile({w_.data(), block_.original ? original_.data() : nullptr, error_.data(), codes_.data(), n, factor_,
                                      block_.pivot, scale_.data(), zero_.data(), block_.grid, (1 << block_.bits) - 1});
        std::fill_n(loss, n, 0.);
        for (int64_t r = 0; r < rows; r++) {
            float* w = block_.w + (firstRow + r) * block_.wStride;
            float* error = block_.error + (firstRow + r) * block_.errorStride;
            uint8_t* codes = block_.codes + (firstRow + r) * n;
            for (int64_t c = 0; c < n; c++) {
                w[c] = w_[c * kTileRows + r];
                const float e = error[c] = error_[c * kTileRows + r];
                codes[c] = codes_[c * kTileRows + r];
                const float lost = block_.original ? w[c] / block_.pivot[c] : e;
                loss[c] += double(lost) * lost;
            }
        }
    }

private:
    const ColumnBlock& block_;
    const float* factor_;
    const int64_t grids_;
    std::vector<float> w_, original_, error_;
    std::vector<uint8_t> codes_;
    std::vector<float> scale_, zero_;
};

}  // namespace

void quantizeBlock(const ColumnBlock& block) {
    const int64_t n = block.columns, tiles = (block.rows + kTileRows - 1) / kTileRows;
    std::fill_n(block.loss, n, 0.);
    if (n <= 0 || tiles <= 0) return;
    std::vector<float> factor(n * n);
    const float sign = block.original ? -1.f : 1.f;
    for (int64_t j = 0; j < n; j++)
        for (int64_t k = j + 1; k < n; k++) factor[k * n + j] = sign * block.factor[j * block.factorStride + k];
    std::vector<double> losses(tiles * n);
    parallelFor(tiles, 1, [&](int64_t begin, int64_t end) {
        TileRunner runner(block, factor.data());
        for (int64_t t = begin; t < end; t++) runner.run(t * kTileRows, &losses[t * n]);
    });
    // In the order of the rows, whoever computed them.
    for (int64_t t = 0; t < tiles; t++)
        for (int64_t c = 0; c < n; c++) block.loss[c] += losses[t * n + c] / 2;
}

}  // namespace owq::kernels
