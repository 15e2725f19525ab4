// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/quantized_linear.h"

#include <algorithm>

#include "kernels/thread_pool.h"

namespace owq {

std::vector<int32_t> gridOfColumns(const QuantizedLinear& linear) {
    std::vector<int32_t> grid(linear.columns, 0);
    if (!linear.groupSize) return grid;
    const int64_t kept = linear.columns - int64_t(linear.weakColumns.size());
    const int64_t last = std::max<int64_t>(0, kept - 1) / linear.groupSize;
    size_t weak = 0;
    for (int64_t c = 0; c < linear.columns; c++) {
        grid[c] = int32_t(std::min(last, (c - int64_t(weak)) / linear.groupSize));
        if (weak < linear.weakColumns.size() && linear.weakColumns[weak] == c) weak++;
    }
    return grid;
}

std::vector<float> dequantize(const QuantizedLinear& linear) {
    const int64_t columns = linear.columns, groups = linear.groups(), weak = int64_t(linear.weakColumns.size());
    const std::vector<int32_t> grid = gridOfColumns(linear);
    std::vector<float> weight(linear.rows * columns);
    kernels::parallelFor(linear.rows, 16, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++) {
            const float* scale = &linear.scale[r * groups];
            const float* zero = &linear.zero[r * groups];
            const uint8_t* codes = &linear.codes[r * columns];
            float* row = &weight[r * columns];
            for (int64_t c = 0; c < columns; c++) row[c] = scale[grid[c]] * (float(codes[c]) - zero[grid[c]]);
            for (int64_t k = 0; k < weak; k++) row[linear.weakColumns[k]] = linear.weakWeight[r * weak + k];
        }
    });
    return weight;
}

}  // namespace owq
