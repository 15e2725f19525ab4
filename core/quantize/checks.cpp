// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/checks.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

std::string place(int64_t index, int64_t columns) {
    return "row " + std::to_string(index / columns) + ", column " + std::to_string(index % columns);
}

}  // namespace

int64_t firstNonFinite(const float* values, int64_t count) {
    std::atomic<int64_t> found = count;
    kernels::parallelFor(count, 1 << 18, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            if (std::isfinite(values[i])) continue;
            int64_t before = found;
            while (i < before && !found.compare_exchange_weak(before, i)) {}
            break;
        }
    });
    return found == count ? -1 : found.load();
}

void checkRecipe(int64_t rows, int64_t columns, bool hessian, const LinearRecipe& recipe) {
    if (rows <= 0 || columns <= 0) throw Error("a weight without rows or columns cannot be quantized");
    if (recipe.bits < 2 || recipe.bits > 8)
        throw Error(std::to_string(recipe.bits) + " bits cannot be quantized to", {}, "Choose 2 to 8 bits");
    if (recipe.weakColumns < 0 || recipe.weakColumns > columns)
        throw Error(std::to_string(recipe.weakColumns) + " weak columns were asked of a linear with " + std::to_string(columns) + " inputs",
                    {}, "Ask for 0 to " + std::to_string(columns));
    if (recipe.groupSize < 0) throw Error("a group size below 0 is not possible", {}, "Use 0 for one grid per row");
    if (recipe.groupSize && recipe.actOrder && recipe.method != Method::rtn)
        throw Error("groups and activation order cannot be combined: a group's columns would no longer lie together", {},
                    "Leave out either the group size or the activation order");
    if (!(recipe.damping >= 0) || !std::isfinite(recipe.damping))
        throw Error("the damping must be 0 or a positive number", {}, "The usual value is 0.01");
    if (recipe.eitherGrid && recipe.method == Method::rtn)
        throw Error("plain rounding has no loss to choose between grids by", {}, "Choose the searched grid or min-max, or method optq or owq");
    if (!hessian && recipe.method != Method::rtn)
        throw Error("method " + methodName(recipe.method) + " needs the Hessian of the linear's inputs", {},
                    "Calibrate first, or use method rtn");
}

void checkFinite(const float* weight, int64_t rows, int64_t columns) {
    if (const int64_t at = firstNonFinite(weight, rows * columns); at >= 0)
        throw Error("the weight is not a finite number at " + place(at, columns), {},
                    "The checkpoint is damaged, or a conversion overflowed; fetch or convert it again");
}

std::string likelyCause(const float* hessian, int64_t columns) {
    std::vector<int32_t> order(columns);
    std::iota(order.begin(), order.end(), 0);
    const auto diagonal = [&](int32_t c) { return hessian[c * columns + c]; };
    for (int32_t c : order)
        if (diagonal(c) < 0) return "the Hessian's diagonal is negative at column " + std::to_string(c) + ", so it is no sum of squares";
    std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return diagonal(a) < diagonal(b); });
    for (int64_t i = 1; i < columns; i++) {
        const int32_t a = order[i - 1], b = order[i];
        if (diagonal(a) > 0 && diagonal(a) == diagonal(b) && hessian[int64_t(a) * columns + b] == diagonal(a))
            return "input columns " + std::to_string(std::min(a, b)) + " and " + std::to_string(std::max(a, b)) + " are identical";
    }
    return "probably fewer calibration tokens than the " + std::to_string(columns) +
           " input columns, or inputs that are sums of others";
}

}  // namespace owq
