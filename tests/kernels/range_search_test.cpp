// SPDX-License-Identifier: Apache-2.0
#include "kernels/range_search.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/cpu/features.h"
#include "kernels/thread_pool.h"
#include "tests/kernels/grid_oracle.h"
#include "tests/kernels/quantize_case.h"

namespace owq::kernels {
namespace {

using Row = std::vector<float>;

void expectBest(const Row& x, const GridOptions& options, const std::string& what) {
    float scale = -1, zero = -1;
    findGrid(x.data(), 1, int64_t(x.size()), int64_t(x.size()), nullptr, options, &scale, &zero);
    EXPECT_TRUE(isBestGrid(x, options, scale, zero)) << what;
}

TEST(RangeSearch, ChoosesWhatBruteForceChooses) {
    for (const char* kind : kRowKinds) {
        for (int bits : {2, 3, 4}) {
            for (int64_t columns : {1, 2, 7, 33, 256, 300})
                expectBest(rowOfKind(kind, columns, uint32_t(columns)), {.bits = bits, .steps = 100}, kind);
            for (uint32_t seed = 0; seed < 4; seed++)
                expectBest(rowOfKind(kind, 256, seed), {.bits = bits, .steps = 40}, kind);
        }
    }
}

TEST(RangeSearch, ChoosesWhatBruteForceChoosesAtOtherWidths) {
    for (const char* kind : {"normal", "heavy", "outlier", "huge"}) {
        for (int bits : {5, 8}) expectBest(rowOfKind(kind, 100, 5), {.bits = bits, .steps = 40}, kind);
        expectBest(rowOfKind(kind, 1500, 6), {.bits = 3, .steps = 100}, kind);
    }
}

TEST(RangeSearch, Symmetric) {
    for (const char* kind : kRowKinds) {
        for (int bits : {2, 3, 4, 8}) {
            const GridOptions options{.bits = bits, .steps = 100, .symmetric = true};
            expectBest(rowOfKind(kind, 256, 1), options, kind);
            float scale = 0, zero = 0;
            const Row x = rowOfKind(kind, 20, 1);
            findGrid(x.data(), 1, 20, 20, nullptr, options, &scale, &zero);
            EXPECT_EQ(zero, float(1 << (bits - 1)));
        }
    }
}

TEST(RangeSearch, MinMax) {
    const float w[] = {-1, 0, 2, 6, /**/ 3, 4, 5, 7, /**/ 0, 0, 0, 0};
    float scale[3], zero[3];
    findGrid(w, 3, 4, 4, nullptr, {.bits = 3, .search = false}, scale, zero);
    EXPECT_EQ(scale[0], 1.f);
    EXPECT_EQ(zero[0], 1.f);
    EXPECT_EQ(scale[1], 1.f);
    EXPECT_EQ(zero[1], 0.f);
    EXPECT_EQ(scale[2], 2.f / 7);
    EXPECT_EQ(zero[2], 3.f);  // 1 / (2 / 7) is just below 3.5 in fp32
    findGrid(w, 3, 4, 4, nullptr, {.bits = 3, .symmetric = true, .search = false}, scale, zero);
    EXPECT_EQ(scale[0], 1.5f);
    EXPECT_EQ(zero[0], 4.f);
    EXPECT_EQ(scale[2], 0.25f);
}

TEST(RangeSearch, ExcludedColumnsDoNotCount) {
    Row x = rowOfKind("normal", 100, 3);
    Row kept(x.begin(), x.begin() + 90);
    std::vector<uint8_t> excluded(100, 0);
    for (int i = 90; i < 100; i++) x[i] = 50, excluded[i] = 1;
    for (bool search : {true, false}) {
        float scale[2], zero[2];
        findGrid(x.data(), 1, 100, 100, excluded.data(), {.search = search}, &scale[0], &zero[0]);
        findGrid(kept.data(), 1, 90, 90, nullptr, {.search = search}, &scale[1], &zero[1]);
        EXPECT_EQ(scale[0], scale[1]);
        EXPECT_EQ(zero[0], zero[1]);
        std::fill(excluded.begin(), excluded.end(), 1);
        findGrid(x.data(), 1, 100, 100, excluded.data(), {.search = search}, &scale[0], &zero[0]);
        EXPECT_GT(scale[0], 0.f);
        std::fill(excluded.begin(), excluded.begin() + 90, 0);
    }
}

TEST(RangeSearch, SameBitsForThreadsAndInstructionSets) {
    constexpr int64_t rows = 37, columns = 300;
    Row w;
    for (int64_t r = 0; r < rows; r++) {
        const Row x = rowOfKind(kRowKinds[r % std::size(kRowKinds)], columns, uint32_t(r));
        w.insert(w.end(), x.begin(), x.end());
    }
    std::vector<Row> results;
    for (InstructionSet set : {InstructionSet::scalar, InstructionSet::avx2}) {
        limitInstructionSet(set);
        for (int count : {1, 2, 3}) {
            setThreads(count);
            Row all;
            for (int bits : {3, 4}) {
                Row scale(rows), zero(rows), values(rows * columns);
                std::vector<uint8_t> codes(rows * columns);
                findGrid(w.data(), rows, columns, columns, nullptr, {.bits = bits}, scale.data(), zero.data());
                roundToGrid(w.data(), rows, columns, columns, scale.data(), zero.data(), bits, codes.data(), values.data());
                for (const Row& part : {scale, zero, values, Row(codes.begin(), codes.end())})
                    all.insert(all.end(), part.begin(), part.end());
            }
            results.push_back(all);
        }
    }
    for (const Row& r : results) EXPECT_EQ(r, results[0]);
    setThreads(0);
}

TEST(RoundToGrid, HalfToEvenAndClamped) {
    const float w[] = {0.5f, 1.5f, -0.5f, -9, 100, 1e30f, -1e30f, 0};
    const float scale = 1, zero = 2;
    uint8_t codes[8];
    float values[8];
    roundToGrid(w, 1, 8, 8, &scale, &zero, 3, codes, values);
    const int want[] = {2, 4, 2, 0, 7, 7, 0, 2};
    for (int i = 0; i < 8; i++) {
        EXPECT_EQ(codes[i], want[i]);
        EXPECT_EQ(values[i], float(want[i] - 2));
    }
    roundToGrid(w, 1, 8, 8, &scale, &zero, 3, codes, nullptr);
    EXPECT_EQ(codes[4], 7);
}

TEST(RangeSearch, AStopEndsIt) {
    std::stop_source source;
    source.request_stop();
    const Row x = rowOfKind("normal", 100, 1);
    float scale = -5, zero = -5;
    findGrid(x.data(), 1, 100, 100, nullptr, {}, &scale, &zero, source.get_token());
    EXPECT_EQ(scale, -5);
}

}  // namespace
}  // namespace owq::kernels
