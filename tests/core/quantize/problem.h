// SPDX-License-Identifier: Apache-2.0
// A made-up linear with calibration inputs.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace owq {

struct Problem {
    int64_t rows, columns;
    std::vector<float> weight, hessian;

    /// Inputs with correlated columns, one of them loud; fewer tokens than columns make H rank-deficient.
    Problem(int64_t rows, int64_t columns, int64_t tokens, uint32_t seed = 1)
        : rows(rows), columns(columns), weight(rows * columns), hessian(columns * columns) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        for (float& w : weight) w = 0.05f * normal(random);
        std::vector<double> h(columns * columns, 0), x(columns);
        for (int64_t t = 0; t < tokens; t++) {
            const double common = normal(random);
            for (int64_t c = 0; c < columns; c++) x[c] = normal(random) + 0.5 * common;
            x[columns / 3] *= 20;
            for (int64_t i = 0; i < columns; i++)
                for (int64_t j = 0; j < columns; j++) h[i * columns + j] += 2 * x[i] * x[j];
        }
        for (size_t i = 0; i < h.size(); i++) hessian[i] = float(h[i]);
    }

    float& h(int64_t i, int64_t j) { return hessian[i * columns + j]; }
    float h(int64_t i, int64_t j) const { return hessian[i * columns + j]; }

    void silence(int64_t column) {
        for (int64_t i = 0; i < columns; i++) h(i, column) = h(column, i) = 0;
    }

    /// Makes input `to` a copy of input `from`.
    void repeat(int64_t from, int64_t to) {
        for (int64_t i = 0; i < columns; i++) h(i, to) = h(i, from);
        for (int64_t i = 0; i < columns; i++) h(to, i) = h(from, i);
    }

    /// In doubles, damped, as the column loop sees it.
    std::vector<double> damped(double share) const {
        std::vector<double> result(hessian.begin(), hessian.end());
        double mean = 0;
        for (int64_t i = 0; i < columns; i++) {
            if (result[i * columns + i] == 0) result[i * columns + i] = 1;
            mean += result[i * columns + i] / double(columns);
        }
        for (int64_t i = 0; i < columns; i++) result[i * columns + i] += share * mean;
        return result;
    }
};

}  // namespace owq
