// SPDX-License-Identifier: Apache-2.0
#include "kernels/gram_sum.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "kernels/cpu/dense_table.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

/// Columns first … first + kSize of x [count, columns], token after token; columns beyond the last are 0.
template <int64_t kSize>
void gatherOf(const float* x, int64_t count, int64_t columns, int64_t first, float* to) {
    const int64_t some = std::min(kSize, columns - first);
    x += first;
    if (some == kSize) {
        for (int64_t t = 0; t < count; ++t, x += columns, to += kSize) std::memcpy(to, x, kSize * sizeof(float));
        return;
    }
    for (int64_t t = 0; t < count; ++t, x += columns, to += kSize)
        for (int64_t c = 0; c < kSize; ++c) to[c] = c < some ? x[c] : 0;
}

void gather(int64_t size, const float* x, int64_t count, int64_t columns, int64_t first, float* to) {
    // The sizes of the tiles (kernels/cpu/dense_*.cpp): a copy of constant size is a load and a store.
    switch (size) {
        case 6:
            return gatherOf<6>(x, count, columns, first, to);
        case 8:
            return gatherOf<8>(x, count, columns, first, to);
        case 12:
            return gatherOf<12>(x, count, columns, first, to);
        case 16:
            return gatherOf<16>(x, count, columns, first, to);
        case 32:
            return gatherOf<32>(x, count, columns, first, to);
        default:
            throw std::logic_error("GramSum: a tile of an unknown size");
    }
}

constexpr int64_t kTokens = 256;      ///< at once
constexpr int64_t kGroupRows = 192;   ///< of the sum that a task works on at most: their strips of x stay in the second-level cache

}  // namespace

GramSum::GramSum(int64_t columns)
    : table_(&denseTable()), columns_(columns), panels_((columns + table_->panel - 1) / table_->panel),
      strips_((columns + table_->rows - 1) / table_->rows) {
    const int64_t tile = table_->rows * table_->panel;
    int64_t count = 0;
    for (int64_t p = 0; p < panels_; ++p) {
        firstStrip_.push_back(p * table_->panel / table_->rows);
        offset_.push_back(count * tile);
        count += strips_ - firstStrip_.back();
    }
    tiles_ = FloatBuffer(count * tile);
    tiles_.clear();
}

void GramSum::add(const float* x, int64_t tokens) {
    const int64_t width = table_->panel, height = table_->rows;
    if (!panelsOfX_.size()) {
        panelsOfX_ = FloatBuffer(panels_ * width * kTokens);
        stripsOfX_ = FloatBuffer(strips_ * height * kTokens);
    }
    const int64_t group =
        std::clamp<int64_t>(strips_ / (8 * threads()), std::min<int64_t>(4, strips_), std::max<int64_t>(1, kGroupRows / height));
    const int64_t groups = (strips_ + group - 1) / group;
    for (int64_t first = 0; first < tokens; first += kTokens, x += kTokens * columns_) {
        const int64_t count = std::min(kTokens, tokens - first);
        parallelFor(panels_, 8, [&](int64_t begin, int64_t end) {
            for (int64_t p = begin; p < end; ++p) gather(width, x, count, columns_, p * width, panelsOfX_.data() + p * width * count);
        });
        parallelFor(strips_, 16, [&](int64_t begin, int64_t end) {
            for (int64_t s = begin; s < end; ++s) gather(height, x, count, columns_, s * height, stripsOfX_.data() + s * height * count);
        });
        parallelFor(groups, 1, [&](int64_t begin, int64_t end) {
            for (int64_t g = begin; g < end; ++g) {
                // From the end: the longest rows of the triangle first, so that the threads end together.
                const int64_t from = (groups - 1 - g) * group, to = std::min(strips_, from + group);
                for (int64_t p = 0; p < panels_ && firstStrip_[p] < to; ++p)
                    for (int64_t s = std::max(from, firstStrip_[p]); s < to; ++s)
                        table_->tile({stripsOfX_.data() + s * height * count, 1, height, panelsOfX_.data() + p * width * count, count,
                                      tiles_.data() + offset_[p] + (s - firstStrip_[p]) * height * width, width, nullptr},
                                     int(height));
            }
        });
    }
}

void GramSum::copyTo(float factor, float* h) const {
    const int64_t width = table_->panel, height = table_->rows;
    parallelFor(panels_, 1, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p)
            for (int64_t s = firstStrip_[p]; s < strips_; ++s) {
                const float* tile = tiles_.data() + offset_[p] + (s - firstStrip_[p]) * height * width;
                const int64_t rowEnd = std::min(columns_, (s + 1) * height);
                for (int64_t r = s * height; r < rowEnd; ++r, tile += width)
                    for (int64_t c = p * width; c < std::min(r + 1, (p + 1) * width); ++c)
                        h[r * columns_ + c] = h[c * columns_ + r] = tile[c - p * width] * factor;
            }
    });
}

}  // namespace owq::kernels
