// SPDX-License-Identifier: Apache-2.0
// What the tests of the GPU's packed product share with those that need a GPU: its error bound, and its
// weight.
#pragma once
#include <cmath>

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
    double kept = 0, weak = 0;
    size_t j = 0;
    for (int64_t c = 0; c < m.columns; ++c) {
        const double x = std::abs(double(m.x[size_t(token * m.columns + c)]));
        if (j < m.weakColumns.size() && m.weakColumns[j] == c)
            weak += x * std::abs(double(m.weakWeight[size_t(row) * m.weakColumns.size() + j++]));
        else
            kept += x;
    }
    const double largest = (1 << m.bits) - 1, chain = m.bits == 2   ? 4
                                                      : m.bits == 3 ? 6
                                                      : m.bits == 4 ? 8
                                                                    : 16;
    const double rounding = halves == 1 ? 0x1p-11 : 0x1p-21,
                 bias = 0x1p-23 * std::abs(double(m.bias[size_t(row)]));
    const double size = double(m.scale[size_t(row)]) * largest * kept + weak;
    return {(rounding + 18 * chain * 0x1p-23 + (double(m.columns) / 512 + 20) * 0x1p-24) * size + bias,
            (halves == 1 ? 3e-4 : 2e-6) * size + bias};
}

}  // namespace owq::kernels
