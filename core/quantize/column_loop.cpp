// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/column_loop.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "core/base/progress.h"
#include "kernels/column_loop.h"
#include "kernels/range_search.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr int kGroupSteps = 40;
constexpr int64_t kWorkAtOnce = 3'000'000'000;  ///< multiplications between two looks at the stop token

/// Puts away what a block of columns gave.
void takeBlock(ColumnLoop& loop, int64_t begin, int64_t width, const std::vector<uint8_t>& codes, const std::vector<double>& loss) {
    for (int64_t r = 0; r < loop.weight.size(0); r++) std::copy_n(&codes[r * width], width, &loop.codes[r * loop.kept + begin]);
    for (int64_t c = 0; c < width; c++) {
        loop.loss[begin + c] = float(loss[c]);
        loop.error += loss[c];
    }
}

/// out += factor · left · right, some rows at a time.
void addProduct(at::Tensor out, const at::Tensor& left, const at::Tensor& right, float factor, const std::stop_token& stop) {
    const int64_t rowsAtOnce = std::max<int64_t>(64, kWorkAtOnce / std::max<int64_t>(1, right.numel()));
    for (int64_t r = 0; r < out.size(0); r += rowsAtOnce) {
        checkStop(stop);
        const int64_t end = std::min(out.size(0), r + rowsAtOnce);
        out.slice(0, r, end).addmm_(left.slice(0, r, end), right, 1, factor);
    }
}

/// The gathering form. w[:, j] becomes w_j - q_j once j is quantized: nothing needs the weight after that.
void gather(ColumnLoop& loop, const LinearRecipe& recipe, const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), columns = loop.weight.size(1);
    const at::Tensor& unit = loop.factor.unit;
    const std::vector<int32_t> grid(kernels::kBlockColumns, 0);
    std::vector<uint8_t> codes(rows * kernels::kBlockColumns);
    std::vector<double> loss(kernels::kBlockColumns);
    for (int64_t begin = 0; begin < loop.kept; begin += kernels::kBlockColumns) {
        const int64_t end = std::min(loop.kept, begin + kernels::kBlockColumns), width = end - begin;
        checkStop(stop);
        at::Tensor moved = loop.weight.slice(1, begin, end).clone(at::MemoryFormat::Contiguous);
        if (begin) addProduct(moved, loop.weight.slice(1, 0, begin), unit.slice(0, 0, begin).slice(1, begin, end), 1, stop);
        float* const block = loop.weight.data_ptr<float>() + begin;
        kernels::quantizeBlock({.rows = rows, .columns = width, .w = moved.data_ptr<float>(), .wStride = width,
                                .original = block, .originalStride = columns,
                                .factor = unit.const_data_ptr<float>() + begin * columns + begin, .factorStride = columns,
                                .pivot = loop.factor.pivot.data() + begin, .scale = loop.scale.data(), .zero = loop.zero.data(),
                                .gridStride = loop.grids, .grid = grid.data(), .bits = recipe.bits, .error = block,
                                .errorStride = columns, .codes = codes.data(), .loss = loss.data()});
        takeBlock(loop, begin, width, codes, loss);
    }
    if (loop.kept < columns) {
        // The weak columns W_w take E R_kw R_ww⁻¹, which minimises the loss for the codes as they are.
        at::Tensor taken = at::zeros({rows, columns - loop.kept}, at::kFloat);
        addProduct(taken, loop.weight.slice(1, 0, loop.kept), unit.slice(0, 0, loop.kept).slice(1, loop.kept, columns), 1, stop);
        const at::Tensor corner = unit.slice(0, loop.kept, columns).slice(1, loop.kept, columns);
        loop.weight.slice(1, loop.kept, columns).add_(at::linalg_solve_triangular(corner, taken, true, false, true));
    }
    float* const weight = loop.weight.data_ptr<float>();
    kernels::parallelFor(rows, 16, [&](int64_t from, int64_t to) {
        for (int64_t r = from; r < to; r++)
            for (int64_t c = 0; c < loop.kept; c++)
                weight[r * columns + c] = loop.scale[r] * (float(loop.codes[r * loop.kept + c]) - loop.zero[r]);
    });
}

/// The spreading form: each group's grid is found on its columns with the compensation that they have so far.
void spread(ColumnLoop& loop, const LinearRecipe& recipe, const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), columns = loop.weight.size(1);
    const at::Tensor& u = loop.factor.unit;
    float* const weight = loop.weight.data_ptr<float>();
    std::vector<uint8_t> codes(rows * kernels::kBlockColumns);
    std::vector<double> loss(kernels::kBlockColumns);
    for (int64_t begin = 0; begin < loop.kept; begin += kernels::kBlockColumns) {
        const int64_t end = std::min(loop.kept, begin + kernels::kBlockColumns), width = end - begin;
        checkStop(stop);
        findGroupGrids(weight, rows, columns, loop.kept, begin, end, recipe, loop.grids, loop.scale, loop.zero, stop);
        // Grids are counted from the block's first, so that a row's part of the table stays short.
        const int64_t firstGrid = begin / recipe.groupSize;
        std::vector<int32_t> grid(width);
        for (int64_t c = 0; c < width; c++) grid[c] = int32_t((begin + c) / recipe.groupSize - firstGrid);
        at::Tensor error = at::empty({rows, width}, at::kFloat);
        kernels::quantizeBlock({.rows = rows, .columns = width, .w = weight + begin, .wStride = columns,
                                .factor = u.const_data_ptr<float>() + begin * columns + begin, .factorStride = columns,
                                .pivot = loop.factor.pivot.data() + begin, .scale = loop.scale.data() + firstGrid,
                                .zero = loop.zero.data() + firstGrid, .gridStride = loop.grids, .grid = grid.data(),
                                .bits = recipe.bits, .error = error.data_ptr<float>(), .errorStride = width, .codes = codes.data(),
                                .loss = loss.data()});
        takeBlock(loop, begin, width, codes, loss);
        if (end < columns)
            addProduct(loop.weight.slice(1, end, columns), error, u.slice(0, begin, end).slice(1, end, columns), -1, stop);
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
    loop.codes.resize(loop.weight.size(0) * loop.kept);
    loop.loss.resize(loop.kept);
    if (loop.factor.inverted)
        spread(loop, recipe, stop);
    else
        gather(loop, recipe, stop);
}

}  // namespace owq
