// SPDX-License-Identifier: Apache-2.0
#include "kernels/range_search.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <vector>

#include "kernels/cpu/quantize_table.h"
#include "kernels/row_sorter.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

struct Grid {
    float scale, zero;
};

/// Largest code, and the code of zero on a symmetric grid.
struct Codes {
    int levels, middle;
};

Codes codesOf(int bits) { return {(1 << bits) - 1, 1 << (bits - 1)}; }

/// Memory of one thread for rows of up to `columns` values.
class RowSearcher {
public:
    RowSearcher(int64_t columns, const GridOptions& options)
        : options_(options), codes_(codesOf(options.bits)), values_(columns), sorter_(options.search ? columns : 0),
          sorted_(options.search ? columns + 16 : 0), times_(sorted_.size()), error_(sorted_.size()),
          middle_(sorted_.size() / kSearchRun + 1) {}

    Grid find(const float* w, int64_t columns, const uint8_t* excluded) {
        int64_t count = 0;
        float low = 0, high = 0;
        for (int64_t c = 0; c < columns; c++) {
            if (excluded && excluded[c]) continue;
            values_[count++] = w[c];
            low = std::min(low, w[c]);
            high = std::max(high, w[c]);
        }
        return options_.search ? search(count, low, high) : minMax(low, high);
    }

private:
    Grid minMax(float low, float high) const {
        if (low == 0 && high == 0) low = -1, high = 1;
        if (options_.symmetric) {
            const float range = std::max(-low, high);
            return {atLeast(range / float(codes_.middle)), float(codes_.middle)};
        }
        const float scale = atLeast(std::min(high - low, FLT_MAX) / float(codes_.levels));
        return {scale, zeroPoint(low, scale)};
    }

    Grid search(int64_t count, float low, float high) {
        const float range = options_.symmetric ? std::max(-low, high) : std::min(high - low, FLT_MAX);
        const float divisor = float(options_.symmetric ? codes_.middle : codes_.levels);
        const int fixed = codes_.middle;
        const SearchRule rule{range, divisor, options_.steps, codes_.levels, options_.symmetric ? fixed : 0,
                              options_.symmetric ? fixed : codes_.levels};
        SearchResult best{1, rule.zeroFrom};
        if (range > 0) {
            const float norm = std::ldexp(1.f, std::clamp(-std::ilogb(range), -126, 100));
            for (int64_t i = 0; i < count; i++) values_[i] *= norm;
            const int64_t different = sorter_.sort(values_.data(), count, low * norm, high * norm, sorted_.data(), times_.data());
            std::fill_n(sorted_.begin() + different, 16, 0.f);
            std::fill_n(times_.begin() + different, 16, 0.f);
            best = quantizeTable().searchRow({sorted_.data(), times_.data(), error_.data(), middle_.data(), different, norm}, rule);
        }
        // The sequence of roundings of the authors' code.
        const float part = range / float(options_.steps) * float(best.step);
        const float size = std::max(part / divisor, 1e-8f);
        if (options_.symmetric) return {size, float(fixed)};
        const float bestMin = std::min(0.f, -float(best.zero) * size);
        const float bestMax = std::max(0.f, part - float(best.zero) * size);
        const float scale = std::max((bestMax - bestMin) / divisor, 1e-8f);
        return {scale, zeroPoint(bestMin, scale)};
    }

    /// A row of values too small for any step size in fp32 would otherwise divide by zero.
    static float atLeast(float scale) { return std::max(scale, FLT_MIN); }

    float zeroPoint(float low, float scale) const {
        return std::clamp(std::nearbyint(-low / scale) + 0.f, 0.f, float(codes_.levels));
    }

    const GridOptions options_;
    const Codes codes_;
    std::vector<float> values_;
    RowSorter sorter_;
    std::vector<float> sorted_, times_, error_;
    std::vector<double> middle_;
};

}  // namespace

void findGrid(const float* w, int64_t rows, int64_t columns, int64_t stride, const uint8_t* excluded,
              const GridOptions& options, float* scale, float* zero, std::stop_token stop) {
    const int64_t grain = std::max<int64_t>(1, 4096 / std::max<int64_t>(1, columns));
    parallelFor(rows, grain, [&](int64_t begin, int64_t end) {
        RowSearcher searcher(columns, options);
        for (int64_t r = begin; r < end && !stop.stop_requested(); r++) {
            const Grid grid = searcher.find(w + r * stride, columns, excluded);
            scale[r] = grid.scale;
            zero[r] = grid.zero;
        }
    });
}

void roundToGrid(const float* w, int64_t rows, int64_t columns, int64_t stride, const float* scale, const float* zero,
                 int bits, uint8_t* codes, float* values) {
    const int64_t grain = std::max<int64_t>(1, 32768 / std::max<int64_t>(1, columns));
    parallelFor(rows, grain, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++)
            quantizeTable().roundRow(w + r * stride, columns, scale[r], zero[r], codesOf(bits).levels, codes + r * columns,
                                values ? values + r * columns : nullptr);
    });
}

}  // namespace owq::kernels
