// SPDX-License-Identifier: Apache-2.0
// A random packed weight with everything around it, for the tests of the CPU and the GPU kernels.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <random>
#include <set>
#include <vector>

#include "kernels/packing.h"

namespace owq::kernels {

struct MatvecCase {
    MatvecCase(int64_t rows_, int64_t columns_, int bits_, int64_t weak, int64_t batch_, unsigned seed)
        : rows(rows_), columns(columns_), batch(batch_), bits(bits_) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        std::set<int32_t> chosen;
        while (int64_t(chosen.size()) < weak) chosen.insert(int32_t(random() % uint64_t(columns)));
        weakColumns.assign(chosen.begin(), chosen.end());
        codes.resize(size_t(rows * columns));
        for (int64_t r = 0; r < rows; ++r) {
            scale.push_back(0.01f + 0.02f * float(random() % 1000) / 1000);
            zero.push_back(float(random() % (1u << bits)));
            for (int64_t c = 0; c < columns; ++c)
                codes[size_t(r * columns + c)] =
                    uint8_t(chosen.count(int32_t(c)) ? unsigned(zero.back()) : random() % (1u << bits));
            for (int64_t j = 0; j < weak; ++j) weakWeight.push_back(0.1f * normal(random));
            bias.push_back(normal(random));
        }
        for (int64_t i = 0; i < batch * columns; ++i)
            x.push_back(normal(random) * (chosen.count(int32_t(i % columns)) ? 100.0f : 1.0f));
        words.resize(size_t(columns / 32 * bits * rows));
        packCodes(codes.data(), rows, columns, bits, words.data());
    }

    /// Weight of row r, column c, exactly as a double holds it.
    double weight(int64_t r, int64_t c) const {
        for (size_t j = 0; j < weakColumns.size(); ++j)
            if (weakColumns[j] == c) return double(weakWeight[size_t(r) * weakColumns.size() + j]);
        return double(scale[size_t(r)]) * (double(codes[size_t(r * columns + c)]) - double(zero[size_t(r)]));
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

    int64_t rows, columns, batch;
    int bits;
    std::vector<uint8_t> codes;
    std::vector<float> scale, zero, bias, weakWeight, x;
    std::vector<int32_t> weakColumns, words;
};

}  // namespace owq::kernels
