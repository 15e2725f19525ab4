// SPDX-License-Identifier: Apache-2.0
// Private to kernels. The different values of a row in ascending order, and how often each occurs.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace owq::kernels {

/// Memory of one thread for rows of up to `columns` values.
class RowSorter {
public:
    explicit RowSorter(int64_t columns)
        : keys_(columns), spare_(columns), bucket_(columns), ends_(columns ? bucketsFor(columns) + 1 : 0) {}

    /// values: `count` finite floats within [low, high], low < high. Fills the first of `sorted` and `times` (room for count each) and
    /// returns how many there are.
    int64_t sort(const float* values, int64_t count, float low, float high, float* sorted, float* times) {
        if (!sortInBuckets(values, count, low, high, sorted)) sortByDigits(values, count, sorted);
        int64_t different = 0;
        for (int64_t i = 0; i < count; i++) {
            if (different > 0 && sorted[i] == sorted[different - 1]) {
                times[different - 1] += 1;
            } else {
                sorted[different] = sorted[i];
                times[different++] = 1;
            }
        }
        return different;
    }

private:
    static constexpr uint64_t kCrowded = 16;  ///< mean neighbours in a bucket above which digits are faster

    static int64_t bucketsFor(int64_t count) { return int64_t(std::bit_ceil(uint64_t(std::clamp<int64_t>(count, 2, 1 << 15)))); }

    /// As many intervals as values, then each value to its place among its neighbours. The intervals are equal in x / (mean + |x|): far
    /// outliers leave room for the others. False: too many share an interval all the same, as in rows of few different values.
    bool sortInBuckets(const float* values, int64_t count, float low, float high, float* sorted) {
        const int64_t buckets = bucketsFor(count);
        float partial[8] = {}, mean = 0;
        for (int64_t i = 0; i + 8 <= count; i += 8)
            for (int k = 0; k < 8; k++) partial[k] += std::fabs(values[i + k]);
        for (const float sum : partial) mean += sum / float(count);
        if (!(mean > 0)) return false;
        const auto squeezed = [mean](float x) { return x / (mean + std::fabs(x)); };
        const float first = squeezed(low), scale = float(buckets - 1) / (squeezed(high) - first);
        const float last = float(buckets - 1);
        uint32_t* const end = ends_.data();
        std::fill_n(end, buckets + 1, 0u);
        // Rounding may put a value a hair beside the ends' intervals.
        for (int64_t i = 0; i < count; i++) bucket_[i] = uint16_t(int32_t(std::min(last, std::max(0.f, (squeezed(values[i]) - first) * scale))));
        for (int64_t i = 0; i < count; i++) end[bucket_[i] + 1]++;
        uint64_t neighbours = 0;
        for (int64_t b = 1; b <= buckets; b++) {
            neighbours += uint64_t(end[b]) * end[b];
            end[b] += end[b - 1];
        }
        if (neighbours > kCrowded * uint64_t(count)) return false;
        for (int64_t i = 0; i < count; i++) sorted[end[bucket_[i]]++] = values[i];
        for (int64_t i = 1; i < count; i++) {
            const float value = sorted[i];
            int64_t k = i;
            for (; k > 0 && sorted[k - 1] > value; k--) sorted[k] = sorted[k - 1];
            sorted[k] = value;
        }
        return true;
    }

    void sortByDigits(const float* values, int64_t count, float* sorted) {
        for (int64_t i = 0; i < count; i++) {
            const uint32_t key = std::bit_cast<uint32_t>(values[i]);
            keys_[i] = key ^ (uint32_t(int32_t(key) >> 31) | 0x80000000u);
        }
        // Long digits save a pass over the row but ask for larger tables.
        const uint32_t* const order = count < 2048 ? sortKeys<8>(count) : sortKeys<11>(count);
        for (int64_t i = 0; i < count; i++) sorted[i] = std::bit_cast<float>(order[i] & 0x80000000u ? order[i] ^ 0x80000000u : ~order[i]);
    }

    template <int kDigit>
    const uint32_t* sortKeys(int64_t count) {
        constexpr int kDigits = (32 + kDigit - 1) / kDigit;
        constexpr uint32_t kMask = (1u << kDigit) - 1;
        uint32_t histogram[kDigits][kMask + 1] = {};
        uint32_t *keys = keys_.data(), *spare = spare_.data();
        for (int64_t i = 0; i < count; i++)
            for (int d = 0; d < kDigits; d++) histogram[d][keys[i] >> (kDigit * d) & kMask]++;
        for (int d = 0; d < kDigits; d++) {
            // Weights of 16-bit models have nothing in their lowest digits.
            if (histogram[d][keys[0] >> (kDigit * d) & kMask] == count) continue;
            uint32_t at = 0;
            for (uint32_t& entry : histogram[d]) at += std::exchange(entry, at);
            for (int64_t i = 0; i < count; i++) spare[histogram[d][keys[i] >> (kDigit * d) & kMask]++] = keys[i];
            std::swap(keys, spare);
        }
        return keys;
    }

    std::vector<uint32_t> keys_, spare_;
    std::vector<uint16_t> bucket_;
    std::vector<uint32_t> ends_;  ///< by bucket, then where it ends
};

}  // namespace owq::kernels
