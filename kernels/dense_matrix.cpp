// SPDX-License-Identifier: Apache-2.0
#include "kernels/dense_matrix.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/dense_table.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

constexpr int64_t kSteps = 256;        ///< columns of W at once: a panel's share stays in the first-level cache
constexpr int64_t kTokens = 96;        ///< tokens at once: their share of x stays in the second-level cache
constexpr int64_t kRowsPerTask = 256;  ///< about; of W
constexpr int64_t kWorkPerRange = 1 << 19;  ///< products: below that waking a thread costs more than it saves

/// The columns of x [rows, columns] (first `count` of them) that are not 0 in all rows, rising, where these are so few that it
/// pays to pass over the others; else none.
std::vector<int32_t> fewColumns(const float* x, int64_t rows, int64_t columns, int64_t count) {
    const auto pays = [](int64_t n, int64_t of) { return n < of * 3 / 4; };
    constexpr int64_t kEach = 8;  // a look at some values tells a layer without zeros
    int64_t seen = 0, nonzero = 0;
    for (int64_t c = 0; c < count; c += kEach, ++seen) nonzero += x[c] != 0;
    if (!pays(nonzero, seen)) return {};
    std::vector<int32_t> taken;
    for (int64_t c = 0; c < count; ++c) {
        bool some = false;
        for (int64_t r = 0; r < rows; ++r) some |= x[r * columns + c] != 0;
        if (some) taken.push_back(int32_t(c));
    }
    return pays(int64_t(taken.size()), count) ? taken : std::vector<int32_t>{};
}

}  // namespace

DenseMatrix::DenseMatrix(const float* w, int64_t rows, int64_t columns)
    : table_(&denseTable()), rows_(rows), columns_(columns), panels_((rows + table_->panel - 1) / table_->panel),
      panelData_(panels_ * table_->panel * columns) {
    const int64_t width = table_->panel;
    parallelFor(panels_, std::max<int64_t>(1, kWorkPerRange / (columns * width + 1)), [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p) {
            float* panel = panelData_.data() + p * width * columns;
            const int64_t count = std::min(width, rows - p * width);
            for (int64_t r = 0; r < count; ++r)
                for (int64_t c = 0; c < columns; ++c) panel[c * width + r] = w[(p * width + r) * columns + c];
            for (int64_t c = 0; c < columns; ++c) std::fill_n(panel + c * width + count, width - count, 0.f);
        }
    });
}

void DenseMatrix::copyTo(float* w) const {
    const int64_t width = table_ ? table_->panel : 1;
    parallelFor(rows_, std::max<int64_t>(1, kWorkPerRange / (columns_ + 1)), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
            const float* panel = panelData_.data() + r / width * width * columns_ + r % width;
            for (int64_t c = 0; c < columns_; ++c) w[r * columns_ + c] = panel[c * width];
        }
    });
}

void DenseMatrix::multiply(const float* x, int64_t tokens, const float* bias, float* y) const {
    if (tokens <= 0 || panels_ == 0) return;
    const int64_t panelsPerTask = std::max<int64_t>(1, kRowsPerTask / table_->panel);
    const int64_t across = (panels_ + panelsPerTask - 1) / panelsPerTask, down = (tokens + kTokens - 1) / kTokens;
    const int64_t work = std::min(tokens, kTokens) * panelsPerTask * table_->panel * columns_;
    parallelFor(across * down, std::max<int64_t>(1, kWorkPerRange / (work + 1)), [&](int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; ++task) {
            const int64_t first = task / across * kTokens, panel = task % across * panelsPerTask;
            multiplyBlock(x + first * columns_, std::min(kTokens, tokens - first), bias, panel,
                          std::min(panels_, panel + panelsPerTask), y + first * rows_);
        }
    });
}

void DenseMatrix::multiplyBlock(const float* x, int64_t tokens, const float* bias, int64_t firstPanel, int64_t endPanel,
                                float* y) const {
    const int64_t width = table_->panel, height = table_->rows;
    const std::vector<float> zeros(width, 0.f);
    std::vector<float> start(zeros), rest(width * height);
    std::vector<std::vector<int32_t>> taken((tokens + height - 1) / height);
    // At least one round, so that a matrix without columns gives its bias.
    for (int64_t step = 0; step == 0 || step < columns_; step += kSteps) {
        const int64_t steps = std::min(kSteps, columns_ - step);
        for (int64_t t = 0; t < tokens; t += height)
            taken[t / height] = fewColumns(x + t * columns_ + step, std::min(height, tokens - t), columns_, steps);
        for (int64_t p = firstPanel; p < endPanel; ++p) {
            const int64_t count = std::min(width, rows_ - p * width);
            if (bias) std::copy_n(bias + p * width, count, start.begin());
            DenseTile tile{nullptr, columns_, 1, panelData_.data() + (p * columns_ + step) * width,
                           steps, nullptr, rows_, step == 0 ? start.data() : nullptr};
            for (int64_t t = 0; t < tokens; t += height) {
                const int rows = int(std::min(height, tokens - t));
                tile.a = x + t * columns_ + step;
                tile.out = y + t * rows_ + p * width;
                const std::vector<int32_t>& few = taken[t / height];
                tile.steps = few.empty() ? steps : int64_t(few.size());
                tile.taken = few.empty() ? nullptr : few.data();
                if (count == width) {
                    table_->tile(tile, rows);
                    continue;
                }
                // The last panel is wider than the matrix: through a tile of our own.
                DenseTile own = tile;
                own.out = rest.data();
                own.outRow = width;
                if (!own.start) own.start = zeros.data();
                table_->tile(own, rows);
                for (int r = 0; r < rows; ++r)
                    for (int64_t c = 0; c < count; ++c) {
                        const float value = rest[r * width + c];
                        float& to = tile.out[r * rows_ + c];
                        to = tile.start ? value : to + value;
                    }
            }
        }
    }
}

}  // namespace owq::kernels
