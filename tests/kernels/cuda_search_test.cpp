// SPDX-License-Identifier: Apache-2.0
// The GPU's range search, its threads in turn on the host with the same functions.
#include <gtest/gtest.h>

#include "kernels/cuda/search_thread.h"
#include "kernels/range_search.h"
#include "tests/kernels/grid_oracle.h"
#include "tests/kernels/quantize_case.h"

namespace owq::kernels {
namespace {

using Row = std::vector<float>;

/// A block of threads and its sums, in the order of kernels/cuda/search.cu.
struct HostTeam {
    const Row& x;
    int threads, levels;
    int passes = 0;

    /// What every thread gets of values that each thread has.
    template <class T>
    static double joined(std::vector<T> value) {
        double total = 0;
        for (size_t warp = 0; warp < value.size(); warp += 32) {
            for (size_t apart = 16; apart; apart /= 2) {
                const std::vector<T> before = value;
                for (size_t l = 0; l < 32; ++l)
                    value[warp + l] = before[warp + l] + before[warp + (l ^ apart)];
            }
            total = warp ? total + value[warp] : value[warp];
        }
        return total;
    }

    cuda::Losses losses(float size, int zero) {
        ++passes;
        std::vector<cuda::Losses> sums(static_cast<size_t>(threads));
        for (int t = 0; t < threads; ++t)
            cuda::addLosses([this](int j) { return x[size_t(j)]; }, t, threads, int(x.size()), size, zero,
                            levels, sums[size_t(t)]);
        cuda::Losses total;
        for (int i = 0; i < 3; ++i) {
            std::vector<double> all, clipped;
            for (const cuda::Losses& l : sums) all.push_back(l.all[i]), clipped.push_back(l.clipped[i]);
            total.all[i] = joined(all);
            total.clipped[i] = joined(clipped);
        }
        return total;
    }
    double sumOfPowers() {
        std::vector<double> sums;
        for (int t = 0; t < threads; ++t)
            sums.push_back(
                cuda::sumOfPowers([this](int j) { return x[size_t(j)]; }, t, threads, int(x.size())));
        return joined(sums);
    }
};

cuda::Grid find(const Row& x, const GridOptions& o, int threads, int* passes = nullptr) {
    const cuda::GridKind kind{o.bits, o.steps, o.symmetric, o.search};
    float low = 0, high = 0;
    for (float v : x) low = cuda::lesser(low, v), high = cuda::greater(high, v);
    if (!o.search) return cuda::minMaxGrid(low, high, kind);
    const cuda::SearchRule rule(low, high, kind);
    cuda::Candidate best{1, rule.zeroFrom};
    if (rule.range > 0) {
        Row scaled = x;
        for (float& v : scaled) v *= rule.norm;
        HostTeam team{scaled, threads, rule.levels};
        best = cuda::RowSearch<HostTeam>(team, rule).run(low);
        if (passes) *passes = team.passes;
    }
    return cuda::gridOf(rule, best, kind);
}

/// The CPU's grid or, where sums in another order decide, one as good.
void compare(const std::string& kind, const Row& x, const GridOptions& options, int threads) {
    float scale = 0, zero = 0;
    findGrid(x.data(), 1, int64_t(x.size()), int64_t(x.size()), nullptr, options, &scale, &zero);
    const cuda::Grid grid = find(x, options, threads);
    if (grid.scale == scale && grid.zero == zero) return;
    ASSERT_TRUE(options.search) << kind;
    EXPECT_TRUE(isBestGrid(x, options, grid.scale, grid.zero)) << kind;
}

TEST(CudaSearchThread, ChoosesWhatTheCpuChooses) {
    for (const char* kind : kRowKinds)
        for (int bits : {2, 3, 4})
            for (int64_t columns : {1, 2, 7, 33, 256, 1030})
                for (int steps : {100, 40})
                    compare(kind, rowOfKind(kind, columns, uint32_t(columns)), {.bits = bits, .steps = steps},
                            columns > 512 ? 128 : 32);
}

TEST(CudaSearchThread, OtherWidthsSymmetricGridsAndMinMax) {
    for (const char* kind : kRowKinds) {
        for (int bits : {5, 8}) compare(kind, rowOfKind(kind, 100, 5), {.bits = bits, .steps = 40}, 32);
        for (int bits : {2, 3, 4, 8}) {
            compare(kind, rowOfKind(kind, 300, 6), {.bits = bits, .symmetric = true}, 64);
            for (bool symmetric : {false, true})
                compare(kind, rowOfKind(kind, 300, 7),
                        {.bits = bits, .symmetric = symmetric, .search = false}, 64);
        }
        for (int steps : {1, 2, 3}) compare(kind, rowOfKind(kind, 50, 8), {.bits = 3, .steps = steps}, 32);
    }
}

TEST(CudaSearchThread, TheNumberOfThreadsDoesNotMatterOnRowsWithoutTies) {
    for (uint32_t seed = 0; seed < 8; ++seed) {
        const Row x = rowOfKind("normal", 4096, seed);
        const cuda::Grid one = find(x, {}, 32);
        for (int threads : {128, 256}) {
            const cuda::Grid other = find(x, {}, threads);
            EXPECT_EQ(one.scale, other.scale);
            EXPECT_EQ(one.zero, other.zero);
        }
        float scale = 0, zero = 0;
        findGrid(x.data(), 1, 4096, 4096, nullptr, {}, &scale, &zero);
        EXPECT_EQ(one.scale, scale);
        EXPECT_EQ(one.zero, zero);
    }
}

TEST(CudaSearchThread, MostCandidatesAreNeverTried) {
    int passes = 0;
    find(rowOfKind("normal", 4096, 1), {.bits = 3}, 128, &passes);
    EXPECT_LT(passes, 60);  // of 800 candidates, three in a pass
    find(rowOfKind("heavy", 4096, 1), {.bits = 4}, 128, &passes);
    EXPECT_LT(passes, 100);
}

TEST(CudaSearchThread, AWeakColumnAtZeroAddsNothing) {
    for (const char* kind : {"normal", "positive", "shifted", "negative"}) {
        Row x = rowOfKind(kind, 300, 2);
        for (const GridOptions& options : {GridOptions{}, GridOptions{.bits = 4, .symmetric = true}}) {
            const cuda::Grid before = find(x, options, 32);
            Row with = x;
            with.insert(with.end(), 20, 0.f);
            const cuda::Grid after = find(with, options, 32);
            EXPECT_EQ(before.scale, after.scale) << kind;
            EXPECT_EQ(before.zero, after.zero) << kind;
        }
    }
}

TEST(CudaSearchThread, RowsThatAreNotNumbersEndToo) {
    for (float odd : {NAN, INFINITY, -INFINITY}) {
        Row x = rowOfKind("normal", 64, 1);
        x[5] = odd;
        for (const GridOptions& options : {GridOptions{}, GridOptions{.symmetric = true}}) {
            const float zero = find(x, options, 32).zero;
            EXPECT_FALSE(zero < 0 || zero > 7);
        }
    }
}

}  // namespace
}  // namespace owq::kernels
