// SPDX-License-Identifier: Apache-2.0
#include "kernels/range_search.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/features.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

using Row = std::vector<float>;

/// The rule of the authors' code, candidate by candidate; step sizes and values in fp32, powers and sums in fp64.
struct Oracle {
    float range, divisor;
    int levels, zeroFrom, zeroTo, steps;

    Oracle(const Row& x, const GridOptions& o) : levels((1 << o.bits) - 1), steps(o.steps) {
        float low = 0, high = 0;
        for (float v : x) low = std::min(low, v), high = std::max(high, v);
        const int middle = 1 << (o.bits - 1);
        range = o.symmetric ? std::max(-low, high) : std::min(high - low, FLT_MAX);
        divisor = float(o.symmetric ? middle : levels);
        zeroFrom = o.symmetric ? middle : 0;
        zeroTo = o.symmetric ? middle : levels;
    }

    float size(int i) const { return std::max(range / float(steps) * float(i) / divisor, 1e-8f); }

    double loss(const Row& x, int i, int z) const {
        const float s = size(i);
        double total = 0;
        for (float v : x) {
            const float q = std::clamp(std::nearbyint(v / s) + float(z), 0.f, float(levels)) - float(z);
            total += std::pow(std::abs(double(s * q) - double(v)), 2.4);
        }
        return total;
    }

    void grid(int i, int z, bool symmetric, float& scale, float& zero) const {
        const float part = range / float(steps) * float(i), s = size(i);
        if (symmetric) {
            scale = s, zero = float(z);
            return;
        }
        const float low = std::min(0.f, -float(z) * s), high = std::max(0.f, part - float(z) * s);
        scale = std::max((high - low) / float(levels), 1e-8f);
        zero = std::clamp(std::nearbyint(-low / scale), 0.f, float(levels));
    }
};

/// The search's grid is the one of the best candidate, or of one whose loss ties with it.
void expectBest(const Row& x, const GridOptions& options, const std::string& what) {
    float scale = -1, zero = -1;
    findGrid(x.data(), 1, int64_t(x.size()), int64_t(x.size()), nullptr, options, &scale, &zero);
    const Oracle oracle(x, options);
    double best = INFINITY;
    int bestI = 0, bestZ = 0;
    std::vector<double> losses;
    for (int i = 1; i <= options.steps; i++) {
        for (int z = oracle.zeroFrom; z <= oracle.zeroTo; z++) {
            losses.push_back(oracle.loss(x, i, z));
            if (losses.back() < best) best = losses.back(), bestI = i, bestZ = z;
        }
    }
    float wantScale, wantZero;
    oracle.grid(bestI, bestZ, options.symmetric, wantScale, wantZero);
    if (scale == wantScale && zero == wantZero) return;
    size_t at = 0;
    for (int i = 1; i <= options.steps; i++) {
        for (int z = oracle.zeroFrom; z <= oracle.zeroTo; z++) {
            float s, zp;
            oracle.grid(i, z, options.symmetric, s, zp);
            if (losses[at++] <= best * (1 + 5e-7) && s == scale && zp == zero) return;
        }
    }
    FAIL() << what << ", bits " << options.bits << ", " << x.size() << " columns: scale " << scale << " zero " << zero << ", want "
           << wantScale << " " << wantZero;
}

Row makeRow(const std::string& kind, int64_t columns, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::student_t_distribution<float> heavy(3);
    Row x(columns);
    for (float& v : x) v = 0.02f * (kind == "heavy" ? heavy(random) : normal(random));
    if (kind == "outlier") x[columns / 2] = 3;
    if (kind == "constant") std::fill(x.begin(), x.end(), 0.37f);
    if (kind == "constant negative") std::fill(x.begin(), x.end(), -0.37f);
    if (kind == "zero") std::fill(x.begin(), x.end(), 0.f);
    if (kind == "positive") for (float& v : x) v = std::abs(v);
    if (kind == "negative") for (float& v : x) v = -std::abs(v);
    if (kind == "shifted") for (float& v : x) v += 1;
    if (kind == "lattice") for (float& v : x) v = std::nearbyint(v * 100);
    if (kind == "half zero") for (float& v : x) v = std::max(v, 0.f);
    if (kind == "tiny") for (float& v : x) v *= 1e-5f;
    if (kind == "minute") for (float& v : x) v *= 1e-25f;
    if (kind == "denormal") for (float& v : x) v *= 1e-41f;
    if (kind == "large") for (float& v : x) v *= 1e12f;
    if (kind == "huge") for (float& v : x) v = std::clamp(v * 5e19f * 1e20f, -FLT_MAX, FLT_MAX);
    return x;
}

const char* const kKinds[] = {"normal", "heavy", "outlier", "constant", "constant negative", "zero", "positive", "negative", "shifted",
                              "lattice", "half zero", "tiny", "minute", "denormal", "large", "huge"};

TEST(RangeSearch, ChoosesWhatBruteForceChooses) {
    for (const char* kind : kKinds) {
        for (int bits : {2, 3, 4}) {
            for (int64_t columns : {1, 2, 7, 33, 256, 300})
                expectBest(makeRow(kind, columns, uint32_t(columns)), {.bits = bits, .steps = 100}, kind);
            for (uint32_t seed = 0; seed < 4; seed++)
                expectBest(makeRow(kind, 256, seed), {.bits = bits, .steps = 40}, kind);
        }
    }
}

TEST(RangeSearch, ChoosesWhatBruteForceChoosesAtOtherWidths) {
    for (const char* kind : {"normal", "heavy", "outlier", "huge"}) {
        for (int bits : {5, 8}) expectBest(makeRow(kind, 100, 5), {.bits = bits, .steps = 40}, kind);
        expectBest(makeRow(kind, 1500, 6), {.bits = 3, .steps = 100}, kind);
    }
}

TEST(RangeSearch, Symmetric) {
    for (const char* kind : kKinds) {
        for (int bits : {2, 3, 4, 8}) {
            const GridOptions options{.bits = bits, .steps = 100, .symmetric = true};
            expectBest(makeRow(kind, 256, 1), options, kind);
            float scale = 0, zero = 0;
            const Row x = makeRow(kind, 20, 1);
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
    Row x = makeRow("normal", 100, 3);
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
        const Row x = makeRow(kKinds[r % std::size(kKinds)], columns, uint32_t(r));
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
    const Row x = makeRow("normal", 100, 1);
    float scale = -5, zero = -5;
    findGrid(x.data(), 1, 100, 100, nullptr, {}, &scale, &zero, source.get_token());
    EXPECT_EQ(scale, -5);
}

}  // namespace
}  // namespace owq::kernels
