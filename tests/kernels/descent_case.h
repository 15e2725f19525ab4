// SPDX-License-Identifier: Apache-2.0
// Made-up blocks for coordinate descent, and what the CPU makes of them.
#pragma once
#include <cmath>
#include <random>
#include <vector>

#include "kernels/descent.h"

namespace owq::kernels {

struct DescentCase {
    static constexpr int64_t kBeside = 3;  ///< columns of the wider matrices that the block is part of

    DescentCase(int64_t rows, int64_t columns, int bits, int64_t groupSize, uint32_t seed)
        : rows(rows), columns(columns), bits(bits), grids(groupSize ? (columns + groupSize - 1) / groupSize : 1) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        const int levels = (1 << bits) - 1;
        for (int64_t i = 0; i < rows * stride(); ++i) {
            pull.push_back(0.1f * normal(random));
            codes.push_back(uint8_t(random() % unsigned(levels + 1)));
        }
        for (int64_t j = 0; j < columns; ++j)
            for (int64_t k = 0; k < stride(); ++k)
                hessian.push_back(k < j ? 1e30f : k == j ? 1 + std::abs(normal(random)) : 0.3f * normal(random));  // above the diagonal only
        for (int64_t i = 0; i < rows * grids; ++i) {
            scale.push_back(0.05f * (0.5f + float(random() % 1000) / 1000));
            zero.push_back(float(random() % unsigned(levels + 1)));
        }
        for (int64_t c = 0; c < columns; ++c) grid.push_back(groupSize ? int32_t(c / groupSize) : 0);
    }
    int64_t stride() const { return columns + kBeside; }

    struct Result {
        std::vector<uint8_t> codes;  ///< [rows, stride()]
        std::vector<float> change;   ///< [rows, columns]
        bool operator==(const Result&) const = default;
    };
    Result onCpu() const {
        Result out{codes, std::vector<float>(size_t(rows * columns), -1)};
        descendBlock({.rows = rows, .columns = columns, .pull = pull.data(), .pullStride = stride(), .hessian = hessian.data(),
                      .hessianStride = stride(), .scale = scale.data(), .zero = zero.data(), .gridStride = grids, .grid = grid.data(),
                      .bits = bits, .codes = out.codes.data(), .codeStride = stride(), .change = out.change.data(),
                      .changeStride = columns});
        return out;
    }

    int64_t rows, columns;
    int bits;
    int64_t grids;
    std::vector<float> pull, hessian, scale, zero;
    std::vector<uint8_t> codes;
    std::vector<int32_t> grid;
};

/// run: DescentCase -> DescentCase::Result, equal to the CPU's to the bit.
template <class Run>
void expectDescentEqualsCpu(Run run) {
    struct Shape {
        int rows, columns, group;
    };
    uint32_t seed = 1;
    for (int bits : {2, 3, 4, 8})
        for (const auto [rows, columns, group] : {Shape{1, 1, 0}, {17, 128, 0}, {40, 128, 32}, {5, 7, 0}, {33, 100, 0}, {16, 97, 24}, {300, 64, 0}}) {
            const DescentCase p(rows, columns, bits, group, seed++);
            EXPECT_EQ(run(p), p.onCpu()) << bits << " bits, " << rows << " x " << columns;
        }
}

}  // namespace owq::kernels
