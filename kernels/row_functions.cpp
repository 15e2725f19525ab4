// SPDX-License-Identifier: Apache-2.0
#include "kernels/row_functions.h"

#include <algorithm>

#include "kernels/cpu/dense_table.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

/// Rows of a range: below that many values waking a thread costs more than it saves.
int64_t grainOf(int64_t columns) { return std::max<int64_t>(1, (1 << 15) / (columns + 1)); }

}  // namespace

void gatedSilu(const GatedSilu& work) {
    const DenseTable& table = denseTable();
    parallelFor(work.rows, grainOf(work.columns), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r)
            table.gatedSiluRow(work.gate + r * work.stride, work.up + r * work.stride, work.columns, work.out + r * work.columns);
    });
}

void rmsNorm(const RmsNorm& work) {
    const DenseTable& table = denseTable();
    parallelFor(work.rows, grainOf(work.columns), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r)
            table.rmsNormRow(work.x + r * work.columns, work.weight, work.columns, work.epsilon, work.out + r * work.columns);
    });
}

}  // namespace owq::kernels
