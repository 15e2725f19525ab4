// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/column_loop.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "core/base/progress.h"
#include "kernels/column_loop.h"
#include "kernels/range_search.h"

namespace owq {
namespace {

constexpr int kGroupSteps = 40;
constexpr int64_t kWorkAtOnce = 3'000'000'000;  ///< multiplications between two looks at the stop token

/// w[:, end:] -= error · U[begin:end, end:]
void updateRest(const ColumnLoop& loop, const at::Tensor& error, int64_t begin, int64_t end, const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), columns = loop.weight.size(1);
    if (end == columns) return;
    const at::Tensor across = loop.factor.slice(0, begin, end).slice(1, end, columns);
    const int64_t rowsAtOnce = std::max<int64_t>(64, kWorkAtOnce / ((end - begin) * (columns - end)));
    for (int64_t r = 0; r < rows; r += rowsAtOnce) {
        checkStop(stop);
        const int64_t rEnd = std::min(rows, r + rowsAtOnce);
        loop.weight.slice(0, r, rEnd).slice(1, end, columns).addmm_(error.slice(0, r, rEnd), across, 1, -1);
    }
}

}  // namespace

float storedScale(float scale, DType type) {
    if (type == DType::f32) return scale;
    const float rounded = Tensor::rounded(type, {1}, std::span(&scale, 1)).toFloat().front();
    return rounded > 0 ? rounded : std::ldexp(1.f, -24);  // the smallest 16-bit float
}

void findGroupGrids(const float* weight, int64_t rows, int64_t stride, int64_t kept, int64_t begin, int64_t end,
                    const LinearRecipe& recipe, int64_t grids, std::vector<float>& scale, std::vector<float>& zero,
                    const std::stop_token& stop) {
    std::vector<float> s(rows), z(rows);
    const int64_t size = recipe.groupSize;
    for (int64_t g = (begin + size - 1) / size; g * size < std::min(end, kept); g++) {
        const int64_t first = g * size, width = std::min(size, kept - first);
        kernels::findGrid(weight + first, rows, width, stride, nullptr,
                          {recipe.bits, kGroupSteps, recipe.symmetric, recipe.searchGrid}, s.data(), z.data(), stop);
        checkStop(stop);
        for (int64_t r = 0; r < rows; r++) {
            scale[r * grids + g] = storedScale(s[r], recipe.scaleType);
            zero[r * grids + g] = z[r];
        }
    }
}

void runColumnLoop(ColumnLoop& loop, const LinearRecipe& recipe, const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), columns = loop.weight.size(1);
    float* weight = loop.weight.data_ptr<float>();
    loop.codes.resize(rows * loop.kept);
    loop.loss.resize(loop.kept);
    std::vector<uint8_t> codes(rows * kernels::kBlockColumns);
    for (int64_t begin = 0; begin < loop.kept; begin += kernels::kBlockColumns) {
        const int64_t end = std::min(loop.kept, begin + kernels::kBlockColumns), width = end - begin;
        checkStop(stop);
        if (recipe.groupSize)
            findGroupGrids(weight, rows, columns, loop.kept, begin, end, recipe, loop.grids, loop.scale, loop.zero, stop);
        // Grids are counted from the block's first, so that a row's part of the table stays short.
        const int64_t firstGrid = recipe.groupSize ? begin / recipe.groupSize : 0;
        std::vector<int32_t> grid(width, 0);
        if (recipe.groupSize)
            for (int64_t c = 0; c < width; c++) grid[c] = int32_t((begin + c) / recipe.groupSize - firstGrid);
        at::Tensor error = at::empty({rows, width}, at::kFloat);
        std::vector<double> loss(width);
        kernels::quantizeBlock({.rows = rows, .columns = width, .w = weight + begin, .wStride = columns,
                                .factor = loop.factor.data_ptr<float>() + begin * columns + begin, .factorStride = columns,
                                .scale = loop.scale.data() + firstGrid, .zero = loop.zero.data() + firstGrid,
                                .gridStride = loop.grids, .grid = grid.data(), .bits = recipe.bits,
                                .error = error.data_ptr<float>(), .codes = codes.data(), .loss = loss.data()});
        for (int64_t r = 0; r < rows; r++)
            std::copy_n(&codes[r * width], width, &loop.codes[r * loop.kept + begin]);
        for (int64_t c = 0; c < width; c++) {
            loop.loss[begin + c] = float(loss[c]);
            loop.error += loss[c];
        }
        updateRest(loop, error, begin, end, stop);
    }
}

}  // namespace owq
