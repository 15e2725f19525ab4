// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/column_loop.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/progress.h"
#include "kernels/column_loop.h"

namespace owq {
namespace {

constexpr int kGroupSteps = 40;
constexpr int64_t kColumnsAtOnce = 512;  ///< that one product brings up to date: narrower ones spend their time laying out the left side

/// The gathering form. w[:, j] becomes w_j - q_j once j is quantized: nothing needs the weight after that.
void gather(const Device& device, ColumnLoop& loop, const LinearRecipe& recipe, const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), columns = loop.weight.size(1);
    const at::Tensor& unit = loop.factor.unit;
    const at::Tensor grid = gridOfEach(device, loop.kept, 0);
    for (int64_t first = 0; first < loop.kept; first += kColumnsAtOnce) {
        const int64_t last = std::min(loop.kept, first + kColumnsAtOnce);
        const at::Tensor moved = loop.weight.slice(1, first, last).clone(at::MemoryFormat::Contiguous);
        if (first) device.addProduct(moved, loop.weight.slice(1, 0, first), unit.slice(0, 0, first).slice(1, first, last), 1, stop);
        for (int64_t begin = first; begin < last; begin += kernels::kBlockColumns) {
            const int64_t end = std::min(last, begin + kernels::kBlockColumns);
            checkStop(stop);
            const at::Tensor block = loop.weight.slice(1, begin, end), here = moved.slice(1, begin - first, end - first);
            if (begin > first)
                device.addProduct(here, loop.weight.slice(1, first, begin), unit.slice(0, first, begin).slice(1, begin, end), 1, stop);
            device.quantizeBlock({.w = here,
                                  .original = block,
                                  .factor = unit.slice(0, begin, end).slice(1, begin, end),
                                  .pivot = loop.factor.pivot.slice(0, begin, end),
                                  .scale = loop.scale,
                                  .zero = loop.zero,
                                  .grid = grid.slice(0, begin, end),
                                  .bits = recipe.bits,
                                  .error = block,
                                  .codes = loop.codes.slice(1, begin, end),
                                  .loss = loop.loss.slice(0, begin, end)});
        }
    }
    if (loop.kept < columns) {
        // The weak columns W_w take E R_kw R_ww⁻¹, which minimises the loss for the codes as they are.
        const at::Tensor taken = at::zeros({rows, columns - loop.kept}, device.options(at::kFloat));
        device.addProduct(taken, loop.weight.slice(1, 0, loop.kept), unit.slice(0, 0, loop.kept).slice(1, loop.kept, columns), 1, stop);
        const at::Tensor corner = unit.slice(0, loop.kept, columns).slice(1, loop.kept, columns);
        loop.weight.slice(1, loop.kept, columns).add_(at::linalg_solve_triangular(corner, taken, true, false, true));
    }
    loop.weight.slice(1, 0, loop.kept).copy_(loop.codes).sub_(loop.zero).mul_(loop.scale);
}

/// The spreading form: each group's grid is found on its columns with the compensation that they have so far.
void spread(const Device& device, ColumnLoop& loop, const LinearRecipe& recipe, const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), columns = loop.weight.size(1);
    const at::Tensor& u = loop.factor.unit;
    const at::Tensor grid = gridOfEach(device, loop.kept, recipe.groupSize);
    for (int64_t begin = 0; begin < loop.kept; begin += kernels::kBlockColumns) {
        const int64_t end = std::min(loop.kept, begin + kernels::kBlockColumns), width = end - begin;
        checkStop(stop);
        findGroupGrids(device, loop, begin, end, recipe, stop);
        // Grids are counted from the block's first, so that a row's part of the table stays short.
        const int64_t firstGrid = begin / recipe.groupSize;
        const at::Tensor error = at::empty({rows, width}, device.options(at::kFloat));
        device.quantizeBlock({.w = loop.weight.slice(1, begin, end),
                              .factor = u.slice(0, begin, end).slice(1, begin, end),
                              .pivot = loop.factor.pivot.slice(0, begin, end),
                              .scale = loop.scale.slice(1, firstGrid),
                              .zero = loop.zero.slice(1, firstGrid),
                              .grid = grid.slice(0, begin, end).sub(firstGrid),
                              .bits = recipe.bits,
                              .error = error,
                              .codes = loop.codes.slice(1, begin, end),
                              .loss = loop.loss.slice(0, begin, end)});
        if (end < columns)
            device.addProduct(loop.weight.slice(1, end, columns), error, u.slice(0, begin, end).slice(1, end, columns), -1, stop);
    }
}

}  // namespace

at::Tensor gridOfEach(const Device& device, int64_t count, int64_t groupSize) {
    if (!groupSize) return at::zeros({count}, device.options(at::kInt));
    std::vector<int32_t> grid(size_t(count), 0);
    for (int64_t c = 0; c < count; c++) grid[size_t(c)] = int32_t(c / groupSize);
    return at::from_blob(grid.data(), {count}, at::kInt).to(device.place(), at::kInt, /*non_blocking=*/false, /*copy=*/true);
}

at::Tensor storedScales(const at::Tensor& scales, DType type) {
    if (type == DType::f32) return scales;
    const at::Tensor rounded = scales.to(type == DType::f16 ? at::kHalf : at::kBFloat16).to(at::kFloat);
    return at::where(rounded.gt(0), rounded, at::scalar_tensor(std::ldexp(1.0, -24), rounded.options()));  // the smallest 16-bit float
}

void findGroupGrids(const Device& device, ColumnLoop& loop, int64_t begin, int64_t end, const LinearRecipe& recipe,
                    const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), size = recipe.groupSize;
    const at::Tensor scale = at::empty({rows}, device.options(at::kFloat)), zero = at::empty_like(scale);
    for (int64_t g = (begin + size - 1) / size; g * size < std::min(end, loop.kept); g++) {
        const int64_t first = g * size, last = std::min(first + size, loop.kept);
        device.findGrid(loop.weight.slice(1, first, last), {}, {recipe.bits, kGroupSteps, recipe.symmetric, recipe.searchGrid}, scale,
                        zero, stop);
        loop.scale.select(1, g).copy_(storedScales(scale, recipe.scaleType));
        loop.zero.select(1, g).copy_(zero);
    }
}

void runColumnLoop(const Device& device, ColumnLoop& loop, const LinearRecipe& recipe, const std::stop_token& stop) {
    loop.codes = at::empty({loop.weight.size(0), loop.kept}, device.options(at::kByte));
    loop.loss = at::empty({loop.kept}, device.options(at::kDouble));
    if (loop.factor.inverted)
        spread(device, loop, recipe, stop);
    else
        gather(device, loop, recipe, stop);
}

}  // namespace owq
