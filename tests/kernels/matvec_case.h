// SPDX-License-Identifier: Apache-2.0
// A random packed weight with everything around it, for the tests of the CPU and the GPU kernels.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <set>
#include <vector>

#include "kernels/matvec.h"

namespace owq::kernels {

struct MatvecCase {
    /// weakType: of which the weak weights are numbers.
    MatvecCase(int64_t rows_, int64_t columns_, int bits_, int64_t weak, int64_t batch_, unsigned seed, int64_t groupSize_ = 0,
               StoredType weakType = StoredType::f32)
        : rows(rows_), columns(columns_), batch(batch_), groupSize(groupSize_), bits(bits_) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        std::set<int32_t> chosen;
        while (int64_t(chosen.size()) < weak) chosen.insert(int32_t(random() % uint64_t(columns)));
        weakColumns.assign(chosen.begin(), chosen.end());
        codes.resize(size_t(rows * columns));
        groups = groupSize ? (columns + groupSize - 1) / groupSize : 1;
        for (int64_t c = 0, kept = 0; c < columns; ++c) {
            grid.push_back(groupSize ? kept / groupSize : 0);
            kept += !chosen.count(int32_t(c));
        }
        for (int64_t r = 0; r < rows; ++r) {
            for (int64_t g = 0; g < groups; ++g) {
                scale.push_back(0.01f + 0.02f * float(random() % 1000) / 1000);
                zero.push_back(float(random() % (1u << bits)));
            }
            for (int64_t c = 0; c < columns; ++c)
                codes[size_t(r * columns + c)] =
                    uint8_t(chosen.count(int32_t(c)) ? unsigned(zero.back()) : random() % (1u << bits));
            for (int64_t j = 0; j < weak; ++j) weakWeight.push_back(cut(0.1f * normal(random), weakType));
            bias.push_back(normal(random));
        }
        for (int64_t i = 0; i < batch * columns; ++i)
            x.push_back(normal(random) * (chosen.count(int32_t(i % columns)) ? 100.0f : 1.0f));
    }

    static float cut(float value, StoredType type) {
        if (type == StoredType::f16 && std::abs(value) < 0x1p-14f) return std::trunc(value * 0x1p24f) * 0x1p-24f;
        const uint32_t kept = type == StoredType::f32 ? ~0u : type == StoredType::bf16 ? ~0xffffu : ~0x1fffu;
        return std::bit_cast<float>(std::bit_cast<uint32_t>(value) & kept);
    }

    /// Weight of row r, column c, exactly as a double holds it.
    double weight(int64_t r, int64_t c) const {
        for (size_t j = 0; j < weakColumns.size(); ++j)
            if (weakColumns[j] == c) return double(weakWeight[size_t(r) * weakColumns.size() + j]);
        const size_t at = size_t(r * groups + grid[size_t(c)]);
        return double(scale[at]) * (double(codes[size_t(r * columns + c)]) - double(zero[at]));
    }
    PackedWeight packed() const {
        return {.codes = codes.data(), .rows = rows, .columns = columns, .bits = bits, .groupSize = groupSize, .scale = scale.data(),
                .zero = zero.data(), .weakColumns = weakColumns.data(), .weakWeight = weakWeight.data(),
                .weakCount = int64_t(weakColumns.size()), .bias = bias.data()};
    }
    /// y and, in `magnitude`, the size of the sum that rounding errors go with.
    double expected(int64_t t, int64_t r, double* magnitude) const {
        double sum = bias[size_t(r)], size = std::abs(sum);
        for (int64_t c = 0; c < columns; ++c) {
            const double product = weight(r, c) * double(x[size_t(t * columns + c)]);
            sum += product;
            size += std::abs(product);
        }
        *magnitude = size;
        return sum;
    }

    int64_t rows, columns, batch, groupSize, groups;
    std::vector<int64_t> grid;  ///< of each column
    int bits;
    std::vector<uint8_t> codes;
    std::vector<float> scale, zero, bias, weakWeight, x;
    std::vector<int32_t> weakColumns;
};

}  // namespace owq::kernels
