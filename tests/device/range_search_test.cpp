// SPDX-License-Identifier: Apache-2.0
// Range search, min-max grids and rounding on the GPU against the CPU kernels.
#include "kernels/range_search.h"

#include "tests/device/device_test.h"
#include "tests/kernels/grid_oracle.h"
#include "tests/kernels/quantize_case.h"

namespace owq::kernels {
namespace {

using Row = std::vector<float>;

class DeviceRangeSearch : public DeviceTest {
protected:
    struct Grids {
        Row scale, zero;
        bool operator==(const Grids&) const = default;
    };

    Grids find(const Row& w, int64_t rows, int64_t columns, int64_t stride,
               const std::vector<uint8_t>& excluded, const GridOptions& o, int64_t gridStride = 1) {
        auto values = onDevice(w);
        auto flags = onDevice(excluded);
        auto scale = room<float>(rows * gridStride), zero = room<float>(rows * gridStride);
        run(api->clear(scale.data(), scale.size() * 4, nullptr));
        run(api->clear(zero.data(), zero.size() * 4, nullptr));
        const OwqCudaGridSearch search{values.data(), rows,         columns,     stride,
                                       flags.data(),  o.bits,       o.steps,     o.symmetric,
                                       o.search,      scale.data(), zero.data(), gridStride};
        run(api->findGrid(&search, nullptr));
        return {scale.download(), zero.download()};
    }

    void compare(const Row& w, int64_t rows, int64_t columns, int64_t stride,
                 const std::vector<uint8_t>& excluded, const GridOptions& o) {
        const Grids gpu = find(w, rows, columns, stride, excluded, o);
        Row scale(static_cast<size_t>(rows)), zero(scale);
        findGrid(w.data(), rows, columns, stride, excluded.empty() ? nullptr : excluded.data(), o,
                 scale.data(), zero.data());
        for (int64_t r = 0; r < rows; ++r) {
            const size_t at = size_t(r);
            if (gpu.scale[at] == scale[at] && gpu.zero[at] == zero[at]) continue;
            ASSERT_TRUE(o.search) << "row " << r;
            Row kept;
            for (int64_t c = 0; c < columns; ++c)
                if (excluded.empty() || !excluded[size_t(c)]) kept.push_back(w[size_t(r * stride + c)]);
            EXPECT_TRUE(isBestGrid(kept, o, gpu.scale[at], gpu.zero[at])) << "row " << r;
        }
    }

    static Row allKinds(int64_t columns) {
        Row w;
        for (const char* kind : kRowKinds) {
            const Row x = rowOfKind(kind, columns, uint32_t(columns));
            w.insert(w.end(), x.begin(), x.end());
        }
        return w;
    }
};

TEST_F(DeviceRangeSearch, ChoosesWhatTheCpuChooses) {
    constexpr int64_t rows = std::size(kRowKinds);
    for (int64_t columns : {1, 7, 33, 128, 513, 4096})
        for (const GridOptions& o :
             {GridOptions{.bits = 3}, GridOptions{.bits = 4, .steps = 40}, GridOptions{.bits = 2},
              GridOptions{.bits = 8, .steps = 40}, GridOptions{.bits = 3, .symmetric = true},
              GridOptions{.bits = 3, .search = false},
              GridOptions{.bits = 4, .symmetric = true, .search = false}})
            compare(allKinds(columns), rows, columns, columns, {}, o);
}

TEST_F(DeviceRangeSearch, LongRows) {
    for (int64_t columns : {8193, 11264, 11265, 28672}) {  // around the end of shared memory
        Row w = rowOfKind("normal", columns, 1);
        const Row heavy = rowOfKind("heavy", columns, 2);
        w.insert(w.end(), heavy.begin(), heavy.end());
        compare(w, 2, columns, columns, {}, {.bits = 4});
    }
}

TEST_F(DeviceRangeSearch, WeakColumnsAndColumnsBesideDoNotCount) {
    const int64_t rows = std::size(kRowKinds), columns = 300, stride = 333;
    std::vector<uint8_t> excluded(columns, 0);
    Row w(size_t(rows * stride), 1e9f);
    for (int64_t r = 0; r < rows; ++r) {
        const Row x = rowOfKind(kRowKinds[r], columns, 9);
        std::copy(x.begin(), x.end(), w.begin() + r * stride);
        for (int64_t c = 3; c < columns; c += 40) w[size_t(r * stride + c)] = -1e9f;
    }
    for (int64_t c = 3; c < columns; c += 40) excluded[size_t(c)] = 1;
    for (bool search : {true, false})
        compare(w, rows, columns, stride, excluded, {.bits = 3, .search = search});
    excluded.assign(columns, 1);
    for (bool search : {true, false})
        compare(w, rows, columns, stride, excluded, {.bits = 3, .search = search});
}

TEST_F(DeviceRangeSearch, GridsOfGroupsGoToTheirPlaces) {
    const Row w = allKinds(128);
    const int64_t rows = std::size(kRowKinds);
    const Grids dense = find(w, rows, 128, 128, {}, {}), spread = find(w, rows, 128, 128, {}, {}, 5);
    for (size_t r = 0; r < size_t(rows); ++r) {
        EXPECT_EQ(spread.scale[r * 5], dense.scale[r]);
        EXPECT_EQ(spread.zero[r * 5], dense.zero[r]);
        EXPECT_EQ(spread.scale[r * 5 + 1], 0);
    }
}

TEST_F(DeviceRangeSearch, EqualInputsGiveEqualBits) {
    const Row w = allKinds(1000);
    const Grids first = find(w, std::size(kRowKinds), 1000, 1000, {}, {.bits = 4});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(find(w, std::size(kRowKinds), 1000, 1000, {}, {.bits = 4}), first);
}

TEST_F(DeviceRangeSearch, RoundsAsTheCpuDoes) {
    const int64_t rows = std::size(kRowKinds), columns = 300;
    const Row w = allKinds(columns);
    for (int bits : {3, 8}) {
        Row scale(static_cast<size_t>(rows)), zero(scale), values(w.size());
        std::vector<uint8_t> codes(w.size());
        findGrid(w.data(), rows, columns, columns, nullptr, {.bits = bits, .search = false}, scale.data(),
                 zero.data());
        roundToGrid(w.data(), rows, columns, columns, scale.data(), zero.data(), bits, codes.data(),
                    values.data());
        auto in = onDevice(w), s = onDevice(scale), z = onDevice(zero), out = room<float>(rows * columns);
        auto outCodes = room<uint8_t>(rows * columns);
        OwqCudaRounding rounding{in.data(), rows, columns,         columns,   s.data(),
                                 z.data(),  bits, outCodes.data(), out.data()};
        run(api->roundToGrid(&rounding, nullptr));
        EXPECT_EQ(outCodes.download(), codes);
        EXPECT_EQ(out.download(), values);
        rounding.values = nullptr;
        run(api->roundToGrid(&rounding, nullptr));
        EXPECT_EQ(outCodes.download(), codes);
    }
}

}  // namespace
}  // namespace owq::kernels
