// SPDX-License-Identifier: Apache-2.0
#include "kernels/cholesky.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/dense_table.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

constexpr int64_t kBlock = 128;      ///< columns that are finished together: a multiple of every panel's width
constexpr int64_t kSteps = 256;      ///< of a product at once: a panel's share stays in the first-level cache
constexpr int64_t kRowsAtOnce = 96;  ///< their share of L stays in the second-level cache

/// Left-looking by blocks of columns: first takes the products of all columns before, then the block's own strips, each as wide as a
/// panel. Nearly everything is tiles; a strip's triangular corner is inverted, so that dividing by it is a tile, too.
class Cholesky {
public:
    Cholesky(double* a, int64_t n)
        : table_(denseTable()), width_(table_.panel / 2), a_(a), n_(n), before_(size_t(std::min(n, kBlock) + width_) * size_t(n)),
          within_(size_t(kBlock * (kBlock + width_))), corners_(size_t(kBlock * width_)), zeros_(size_t(width_)) {}

    bool run(const std::stop_token& stop) {
        for (int64_t first = 0; first < n_; first += kBlock) {
            if (stop.stop_requested()) return false;
            first_ = first;
            columns_ = std::min(kBlock, n_ - first);
            strips_ = (columns_ + width_ - 1) / width_;
            packBefore();
            const int64_t height = table_.rows, diagonalTiles = (columns_ + height - 1) / height;
            parallelFor(diagonalTiles, std::max<int64_t>(1, 20000 / (1 + first)), [&](int64_t begin, int64_t end) {
                takeBefore(first_ + begin * height, first_ + std::min(columns_, end * height));
            });
            if (!factorDiagonal()) return false;
            const int64_t below = first + columns_, groups = (n_ - below + kRowsAtOnce - 1) / kRowsAtOnce;
            parallelFor(groups, 1, [&](int64_t begin, int64_t end) {
                for (int64_t g = begin; g < end && !stop.stop_requested(); g++) {
                    const int64_t from = below + g * kRowsAtOnce, to = std::min(n_, from + kRowsAtOnce);
                    takeBefore(from, to);
                    for (int64_t s = 0; s < strips_; s++) {
                        takeStrips(s, from, to);
                        divide(s, from, to);
                    }
                }
            });
        }
        return !stop.stop_requested();
    }

private:
    double* row(int64_t r) const { return a_ + r * n_; }
    int64_t stripWidth(int64_t s) const { return std::min(width_, columns_ - s * width_); }
    double* panelBefore(int64_t s) { return before_.data() + s * width_ * first_; }
    double* panelWithin(int64_t s) { return within_.data() + s * width_ * kBlock; }
    double* corner(int64_t s) { return corners_.data() + s * width_ * width_; }

    /// -L of the strip's rows and columns first … first + count, column after column: what a tile subtracts with.
    void pack(int64_t s, int64_t from, int64_t count, double* to) {
        const int64_t some = stripWidth(s);
        for (int64_t r = 0; r < width_; r++) {
            const double* l = row(first_ + s * width_ + r) + from;
            for (int64_t c = 0; c < count; c++) to[c * width_ + r] = r < some ? -l[c] : 0;
        }
    }

    void packBefore() {
        parallelFor(strips_, std::max<int64_t>(1, 4096 / (1 + first_)),
                    [&](int64_t begin, int64_t end) { for (int64_t s = begin; s < end; s++) pack(s, 0, first_, panelBefore(s)); });
    }

    /// Rows from … to of the block's columns take the products of all columns before the block.
    void takeBefore(int64_t from, int64_t to) {
        for (int64_t step = 0; step < first_; step += kSteps)
            for (int64_t s = 0; s < strips_; s++)
                tiles(s, from, to, step, std::min(kSteps, first_ - step), panelBefore(s) + step * width_, nullptr);
    }

    /// Rows from … to of a strip take the products of the block's strips before it.
    void takeStrips(int64_t s, int64_t from, int64_t to) {
        if (s) tiles(s, from, to, first_, s * width_, panelWithin(s), nullptr);
    }

    /// x ← x L⁻ᵀ with the strip's corner.
    void divide(int64_t s, int64_t from, int64_t to) {
        tiles(s, from, to, first_ + s * width_, width_, corner(s), zeros_.data());
    }

    /// Rows from … to of strip s: start, or what is there, and the products of columns k … k + steps with a panel.
    void tiles(int64_t s, int64_t from, int64_t to, int64_t k, int64_t steps, const double* panel, const double* start) {
        const int64_t height = table_.rows, some = stripWidth(s), column = first_ + s * width_;
        for (int64_t r = from; r < to; r += height) {
            const int64_t rows = std::min(height, to - r);
            const TileOf<double> tile{row(r) + k, n_, 1, panel, steps, row(r) + column, n_, start};
            if (some == width_) {
                table_.tile64(tile, int(rows));
                continue;
            }
            // The last strip's panel is wider than the matrix: through a tile of our own. Nothing is ever divided by its corner.
            double own[16 * 16] = {};
            TileOf<double> narrow = tile;
            narrow.out = own;
            narrow.outRow = width_;
            table_.tile64(narrow, int(rows));
            for (int64_t i = 0; i < rows; i++)
                for (int64_t c = 0; c < some; c++) row(r + i)[column + c] += own[i * width_ + c];
        }
    }

    bool factorDiagonal() {
        const int64_t end = first_ + columns_;
        for (int64_t s = 0; s < strips_; s++) {
            const int64_t begin = first_ + s * width_, after = begin + stripWidth(s);
            pack(s, first_, s * width_, panelWithin(s));
            takeStrips(s, begin, end);
            if (!factorCorner(begin, after - begin)) return false;
            if (after < n_) invertCorner(begin, corner(s));
            divide(s, after, end);
        }
        return true;
    }

    bool factorCorner(int64_t begin, int64_t count) {
        for (int64_t r = begin; r < begin + count; r++) {
            double* const l = row(r);
            for (int64_t c = begin; c <= r; c++) {
                const double* const other = row(c);
                double value = l[c];
                for (int64_t k = begin; k < c; k++) value -= l[k] * other[k];
                if (c < r) {
                    l[c] = value / other[c];
                } else {
                    if (!(value > 0 && std::isfinite(value))) return false;
                    l[c] = std::sqrt(value);
                }
            }
        }
        return true;
    }

    /// The inverse of a whole strip's corner, transposed: [column of L⁻ᵀ's left side, its row].
    void invertCorner(int64_t begin, double* to) {
        std::fill_n(to, width_ * width_, 0.);
        // L⁻¹ column after column: entry (r, c), kept at to[c * width + r].
        for (int64_t c = 0; c < width_; c++)
            for (int64_t r = c; r < width_; r++) {
                double value = r == c ? 1 : 0;
                for (int64_t k = c; k < r; k++) value -= row(begin + r)[begin + k] * to[c * width_ + k];
                to[c * width_ + r] = value / row(begin + r)[begin + r];
            }
    }

    const DenseTable& table_;
    const int64_t width_;
    double* const a_;
    const int64_t n_;
    std::vector<double> before_;   ///< by strip [columns before the block, width]
    std::vector<double> within_;   ///< by strip [columns of the block, width]
    std::vector<double> corners_;  ///< by strip [width, width]
    const std::vector<double> zeros_;
    int64_t first_ = 0, columns_ = 0, strips_ = 0;  ///< of the block at work
};

}  // namespace

bool cholesky(double* a, int64_t n, std::stop_token stop) { return n <= 0 || Cholesky(a, n).run(stop); }

}  // namespace owq::kernels
