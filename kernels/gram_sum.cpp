// SPDX-License-Identifier: Apache-2.0
#include "kernels/gram_sum.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <stdexcept>

#include "kernels/cpu/dense_table.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

/// Columns first … first + kSize of x [count, columns], token after token; columns beyond the last are 0.
template <int64_t kSize>
void gather(const float* x, int64_t count, int64_t columns, int64_t first, float* to) {
    const int64_t some = std::min(kSize, columns - first);
    x += first;
    if (some == kSize) {
        for (int64_t t = 0; t < count; ++t, x += columns, to += kSize) std::memcpy(to, x, kSize * sizeof(float));
        return;
    }
    for (int64_t t = 0; t < count; ++t, x += columns, to += kSize)
        for (int64_t c = 0; c < kSize; ++c) to[c] = c < some ? x[c] : 0;
}

/// values [count, kSize]: bit t is set where token t is not 0. Returns how many.
template <int64_t kSize>
int64_t markTokens(const float* values, int64_t count, std::span<uint64_t> bits) {
    int64_t marked = 0;
    for (uint64_t& word : bits) {
        const int64_t some = std::clamp<int64_t>(count, 0, 64);
        uint64_t marks = 0;
        for (int64_t t = 0; t < some; ++t, values += kSize) {
            uint64_t pairs[kSize / 2], any = 0;
            std::memcpy(pairs, values, sizeof pairs);
            for (const uint64_t pair : pairs) any |= pair;
            const bool nonzero = any & 0x7fffffff7fffffff;  // but for the signs
            marks |= uint64_t(nonzero) << t;
            marked += nonzero;
        }
        word = marks;
        count -= some;
    }
    return marked;
}

/// Calls what with the size as a constant: one of the sizes of the tiles (kernels/cpu/dense_*.cpp). A copy of constant size is
/// a load and a store.
template <class What>
void withTileSize(int64_t size, const What& what) {
    switch (size) {
        case 6:
            return what.template operator()<6>();
        case 8:
            return what.template operator()<8>();
        case 12:
            return what.template operator()<12>();
        case 16:
            return what.template operator()<16>();
        case 32:
            return what.template operator()<32>();
        default:
            throw std::logic_error("GramSum: a tile of an unknown size");
    }
}

constexpr int64_t kTokens = 256;      ///< at once; GramSum::TokenMask has a bit for each
constexpr int64_t kGroupRows = 192;   ///< of the sum that a task works on at most: their strips of x stay in the second-level cache

/// Whether so many of x's values are 0 that it pays to look for tokens to pass over; judged by three tokens.
bool hasManyZeros(const float* x, int64_t count, int64_t columns) {
    int64_t zeros = 0;
    for (const int64_t t : {int64_t(0), count / 2, count - 1})
        for (int64_t c = 0; c < columns; ++c) zeros += x[t * columns + c] == 0;
    return zeros * 2 > 3 * columns;
}

/// The tokens in both masks, rising, to `to`; how many.
int64_t listTokens(std::span<const uint64_t> a, std::span<const uint64_t> b, int32_t* to) {
    int64_t n = 0;
    for (size_t word = 0; word < a.size(); ++word)
        for (uint64_t both = a[word] & b[word]; both; both &= both - 1) to[n++] = int32_t(word * 64) + std::countr_zero(both);
    return n;
}

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
        const bool sparse = hasManyZeros(x, count, columns_);
        if (sparse) {
            panelMasks_.resize(size_t(panels_));
            stripMasks_.resize(size_t(strips_));
        }
        const auto gatherAll = [&](int64_t tiles, int64_t size, int64_t grain, FloatBuffer& to, std::vector<TokenMask>& masks) {
            withTileSize(size, [&]<int64_t kSize>() {
                parallelFor(tiles, grain, [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) {
                        float* const values = to.data() + i * kSize * count;
                        gather<kSize>(x, count, columns_, i * kSize, values);
                        if (sparse) masks[size_t(i)].count = markTokens<kSize>(values, count, masks[size_t(i)].bits);
                    }
                });
            });
        };
        gatherAll(panels_, width, 8, panelsOfX_, panelMasks_);
        gatherAll(strips_, height, 16, stripsOfX_, stripMasks_);
        parallelFor(groups, 1, [&](int64_t begin, int64_t end) {
            int32_t taken[kTokens];
            for (int64_t g = begin; g < end; ++g) {
                // From the end: the longest rows of the triangle first, so that the threads end together.
                const int64_t from = (groups - 1 - g) * group, to = std::min(strips_, from + group);
                for (int64_t p = 0; p < panels_ && firstStrip_[p] < to; ++p)
                    for (int64_t s = std::max(from, firstStrip_[p]); s < to; ++s) {
                        DenseTile tile{stripsOfX_.data() + s * height * count, 1, height, panelsOfX_.data() + p * width * count, count,
                                       tiles_.data() + offset_[p] + (s - firstStrip_[p]) * height * width, width, nullptr};
                        if (sparse && std::min(panelMasks_[size_t(p)].count, stripMasks_[size_t(s)].count) < count * 3 / 4) {
                            tile.steps = listTokens(panelMasks_[size_t(p)].bits, stripMasks_[size_t(s)].bits, taken);
                            tile.taken = taken;
                            if (tile.steps == 0) continue;
                        }
                        table_->tile(tile, int(height));
                    }
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
