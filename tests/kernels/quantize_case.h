// SPDX-License-Identifier: Apache-2.0
// Random problems of the quantizer's kernels, for the tests of the CPU and the GPU ones.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "kernels/column_loop.h"

namespace owq::kernels {

/// A row of weights of some kind; kRowKinds lists them.
inline std::vector<float> rowOfKind(const std::string& kind, int64_t columns, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::student_t_distribution<float> heavy(3);
    std::vector<float> x(static_cast<size_t>(columns));
    for (float& v : x) v = 0.02f * (kind == "heavy" ? heavy(random) : normal(random));
    const auto each = [&x](auto change) { std::transform(x.begin(), x.end(), x.begin(), change); };
    if (kind == "outlier") x[size_t(columns) / 2] = 3;
    if (kind == "constant") each([](float) { return 0.37f; });
    if (kind == "constant negative") each([](float) { return -0.37f; });
    if (kind == "zero") each([](float) { return 0.f; });
    if (kind == "positive") each([](float v) { return std::abs(v); });
    if (kind == "negative") each([](float v) { return -std::abs(v); });
    if (kind == "shifted") each([](float v) { return v + 1; });
    if (kind == "lattice") each([](float v) { return std::nearbyint(v * 100); });
    if (kind == "half zero") each([](float v) { return std::max(v, 0.f); });
    if (kind == "tiny") each([](float v) { return v * 1e-5f; });
    if (kind == "minute") each([](float v) { return v * 1e-25f; });
    if (kind == "denormal") each([](float v) { return v * 1e-41f; });
    if (kind == "large") each([](float v) { return v * 1e12f; });
    if (kind == "huge") each([](float v) { return std::clamp(v * 5e19f * 1e20f, -FLT_MAX, FLT_MAX); });
    return x;
}

inline constexpr const char* kRowKinds[] = {
    "normal",   "heavy",    "outlier", "constant", "constant negative", "zero",
    "positive", "negative", "shifted", "lattice",  "half zero",         "tiny",
    "minute",   "denormal", "large",   "huge"};

/// One block of the column loop, with `groupSize` columns a grid (0: one grid a row), inside wider matrices.
struct LoopCase {
    static constexpr int64_t kBeside = 3;  // columns of w right of the block, which must stay as they are

    LoopCase(int64_t rows_, int64_t columns_, int bits_, int64_t groupSize, uint32_t seed,
             bool gathers_ = false)
        : rows(rows_),
          columns(columns_),
          bits(bits_),
          gathers(gathers_),
          grids(groupSize ? (columns_ + groupSize - 1) / groupSize : 1) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        for (int64_t i = 0; i < rows * (columns + kBeside); ++i)
            w.push_back(normal(random) * (random() % 50 ? 0.02f : 0.3f));
        for (int64_t j = 0; j < columns; ++j)
            for (int64_t k = 0; k < columns + kBeside; ++k)
                factor.push_back(k <= j ? 1e30f  // only what is right of the diagonal may be read
                                        : 0.2f * normal(random));
        for (int64_t j = 0; j < columns; ++j) pivot.push_back(0.5f + std::abs(normal(random)));
        if (gathers)
            for (int64_t i = 0; i < rows * columns; ++i) original.push_back(normal(random) * 0.02f);
        const int levels = (1 << bits) - 1;
        for (int64_t i = 0; i < rows * grids; ++i) {
            scale.push_back(0.1f / float(levels) * (0.5f + float(random() % 1000) / 1000));
            zero.push_back(float(random() % unsigned(levels + 1)));
        }
        for (int64_t c = 0; c < columns; ++c) grid.push_back(groupSize ? int32_t(c / groupSize) : 0);
    }

    int64_t wStride() const { return columns + kBeside; }

    struct Result {
        std::vector<float> w, error;
        std::vector<uint8_t> codes;
        std::vector<double> loss;
        bool operator==(const Result&) const = default;
    };
    Result empty() const {
        return {w, std::vector<float>(size_t(rows * columns)), std::vector<uint8_t>(size_t(rows * columns)),
                std::vector<double>(size_t(columns))};
    }
    Result onCpu() const {
        Result out = empty();
        quantizeBlock({.rows = rows,
                       .columns = columns,
                       .w = out.w.data(),
                       .wStride = wStride(),
                       .original = gathers ? original.data() : nullptr,
                       .originalStride = columns,
                       .factor = factor.data(),
                       .factorStride = columns + kBeside,
                       .pivot = pivot.data(),
                       .scale = scale.data(),
                       .zero = zero.data(),
                       .gridStride = grids,
                       .grid = grid.data(),
                       .bits = bits,
                       .error = out.error.data(),
                       .errorStride = columns,
                       .codes = out.codes.data(),
                       .loss = out.loss.data()});
        return out;
    }

    int64_t rows, columns;
    int bits;
    bool gathers;  // the second form of kernels/column_loop.h
    int64_t grids;
    std::vector<float> w, original, factor, pivot, scale, zero;  // original [rows, columns]
    std::vector<int32_t> grid;
};

/// quantizeBlock on another device (or its arithmetic on this one) gives `onCpu` to the bit, for every width, shape and form.
/// run: LoopCase -> LoopCase::Result.
template <class Run>
void expectLoopEqualsCpu(Run run) {
    struct Shape {
        int rows, columns, group;
    };
    uint32_t seed = 1;
    for (int bits : {2, 3, 4, 8})
        for (const auto [rows, columns, group] : {Shape{1, 1, 0}, {17, 128, 0}, {40, 128, 32}, {5, 7, 0}, {33, 100, 0}, {16, 100, 24}, {3, 9, 1},
                                                  {64, 121, 0}, {777, 64, 0}, {1000, 128, 0}})
            for (bool gathers : {false, true}) {
                const LoopCase p(rows, columns, bits, group, seed++, gathers);
                const LoopCase::Result found = run(p), cpu = p.onCpu();
                ASSERT_EQ(found.codes, cpu.codes) << bits << " bits, " << rows << " x " << columns;
                EXPECT_EQ(found, cpu) << bits << " bits, " << rows << " x " << columns;
            }
}

}  // namespace owq::kernels
