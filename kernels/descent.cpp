// SPDX-License-Identifier: Apache-2.0
#include "kernels/descent.h"

#include <algorithm>
#include <cmath>

#include "kernels/column_loop.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {

void descendBlock(const DescentBlock& b) {
    const float top = float((1 << b.bits) - 1);
    parallelFor(b.rows, 8, [&](int64_t from, int64_t to) {
        float pull[kBlockColumns];
        for (int64_t r = from; r < to; ++r) {
            std::copy_n(b.pull + r * b.pullStride, b.columns, pull);
            uint8_t* const code = b.codes + r * b.codeStride;
            float* const change = b.change + r * b.changeStride;
            for (int64_t j = 0; j < b.columns; ++j) {
                const int64_t grid = r * b.gridStride + b.grid[j];
                const float scale = b.scale[grid], zero = b.zero[grid];
                const float* const row = b.hessian + j * b.hessianStride;
                const float old = scale * (float(code[j]) - zero);
                const float wanted = std::clamp(std::nearbyint((old + pull[j] / row[j]) / scale) + zero, 0.f, top);
                change[j] = 0;
                if (wanted == float(code[j])) continue;
                const float d = scale * (wanted - float(code[j]));
                code[j] = uint8_t(wanted);
                change[j] = d;
                for (int64_t k = j; k < b.columns; ++k) pull[k] -= d * row[k];
            }
        }
    });
}

}  // namespace owq::kernels
