// SPDX-License-Identifier: Apache-2.0
// What the tests of the GPU's packed product share with those that need a GPU: its error bound, and its
// weight.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/half.h"

#include "kernels/cuda/api.h"
#include "tests/kernels/matvec_case.h"

namespace owq::kernels {

inline OwqCudaWeight cudaWeight(const MatvecCase& m) {
    return {m.codes.data(),      m.rows,
            m.columns,           m.bits,
            m.groupSize,         m.scale.data(),
            m.zero.data(),       m.weakColumns.data(),
            m.weakWeight.data(), int64_t(m.weakColumns.size()),
            m.bias.data()};
}

struct MatvecBound {
    double stated;  ///< kernels/cuda/matvec_thread.h
    double usual;   ///< what is to be expected
};
inline MatvecBound cudaMatvecBound(const MatvecCase& m, int64_t token, int64_t row, int halves) {
    const double largest = (1 << m.bits) - 1;
    double size = 0;
    size_t j = 0;
    for (int64_t c = 0; c < m.columns; ++c) {
        const double x = std::abs(double(m.x[size_t(token * m.columns + c)]));
        if (j < m.weakColumns.size() && m.weakColumns[j] == c)
            size += x * std::abs(double(m.weakWeight[size_t(row) * m.weakColumns.size() + j++]));
        else {
            const size_t grid = size_t(row * m.groups + m.grid[size_t(c)]);
            size += double(m.scale[grid]) * std::max(largest, double(m.zero[grid])) * x;
        }
    }
    const double chain = m.bits == 2   ? 4
                         : m.bits == 3 ? 6
                         : m.bits == 4 ? 8
                                       : 16,
                 sums = m.groupSize ? double(m.columns) / 256 + 48 : double(m.columns) / 512 + 20;
    const double rounding = halves == 1 ? 0x1p-11 : 0x1p-21,
                 bias = 0x1p-23 * std::abs(double(m.bias[size_t(row)]));
    return {(rounding + 18 * chain * 0x1p-23 + sums * 0x1p-24) * size + bias,
            (halves == 1 ? 3e-4 : 2e-6) * size + bias};
}

/// Of whole numbers: no rounding anywhere.
inline void expectExact(const MatvecCase& m, const std::vector<float>& y, const std::string& where) {
    double magnitude = 0;
    for (int64_t t = 0; t < m.batch; ++t)
        for (int64_t r = 0; r < m.rows; ++r)
            ASSERT_EQ(double(y[size_t(t * m.rows + r)]), m.expected(t, r, &magnitude)) << where << ", " << t << ", " << r;
}

inline void expectWithinBound(const MatvecCase& m, const std::vector<float>& y, int halves) {
    for (int64_t t = 0; t < m.batch; ++t)
        for (int64_t r = 0; r < m.rows; ++r) {
            double magnitude = 0;
            const double error = std::abs(double(y[size_t(t * m.rows + r)]) - m.expected(t, r, &magnitude));
            const MatvecBound bound = cudaMatvecBound(m, t, r, halves);
            ASSERT_LE(error, std::min(bound.stated, bound.usual))
                << m.bits << " bits, " << m.rows << " x " << m.columns << ", groups of " << m.groupSize
                << ", token " << t << ", row " << r;
        }
}

/// Scales become halves, as those of GPTQ files are.
inline MatvecCase withHalfScales(MatvecCase m) {
    for (float& s : m.scale) s = halfToFloat(floatToHalf(s));
    return m;
}

/// Everything whole, or a power of two for scales, one for each group: then the product is exact.
inline MatvecCase wholeNumbers(MatvecCase m) {
    for (size_t i = 0; i < m.scale.size(); ++i) m.scale[i] = 0.5f * float(1 << i % size_t(m.groups) % 3);
    for (float& x : m.x) x = std::nearbyint(x);
    for (float& w : m.weakWeight) w = std::nearbyint(40 * w);
    for (float& b : m.bias) b = std::nearbyint(4 * b);
    return m;
}

}  // namespace owq::kernels
