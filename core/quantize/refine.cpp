// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/refine.h"

#include <ATen/ops/cholesky_solve.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "core/base/progress.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr int64_t kBlock = 128;  ///< columns whose codes are chosen before the others hear of it
constexpr int64_t kRowsAtOnce =
    1024;  ///< rows are independent; a slice at a time bounds memory and the time to a stop

/// One slice of rows.
class Refinement {
public:
    Refinement(ColumnLoop& loop, const at::Tensor& target, const at::Tensor& hessian,
               const LinearRecipe& recipe, int64_t begin, int64_t end)
        : loop_(loop),
          hessian_(hessian),
          recipe_(recipe),
          begin_(begin),
          rows_(end - begin),
          columns_(loop.weight.size(1)),
          value_(loop.weight.slice(0, begin, end)),
          target_(target.slice(0, begin, end)),
          pull_(target_.sub(value_).matmul(hessian_)) {}

    void pass() {
        refitScales();
        descend();
        refitWeak();
    }

    /// Adds to the loss of each column, in the loop's terms: half the squared errors after compensation, (W - Q) R
    /// = (W - Q) U⁻¹.
    void addLoss(std::vector<double>& loss) const {
        const Factor& factor = loop_.factor;
        const at::Tensor left = target_.sub(value_);
        const at::Tensor error = factor.inverted ? at::linalg_solve_triangular(factor.unit, left, true, false).contiguous()
                                                 : left.matmul(factor.unit);
        const float* from = error.const_data_ptr<float>();
        for (int64_t r = 0; r < rows_; ++r)
            for (int64_t c = 0; c < loop_.kept; ++c) {
                const double lost = from[r * columns_ + c] / (factor.inverted ? 1 : double(factor.pivot[size_t(c)]));
                loss[size_t(c)] += lost * lost / 2;
            }
    }

private:
    int64_t gridOf(int64_t column) const { return recipe_.groupSize ? column / recipe_.groupSize : 0; }

    /// For each grid s ← s + ⟨(W - Q) H, C⟩ / ⟨C H, C⟩ with C = code - zero inside the grid, 0 elsewhere.
    void refitScales() {
        const int64_t width = recipe_.groupSize ? recipe_.groupSize : loop_.kept;
        for (int64_t first = 0; first < loop_.kept; first += width) {
            const int64_t end = std::min(loop_.kept, first + width), grid = gridOf(first);
            at::Tensor steps = at::empty({rows_, end - first}, at::kFloat);
            float* step = steps.data_ptr<float>();
            for (int64_t r = 0; r < rows_; ++r) {
                const float zero = loop_.zero[size_t((begin_ + r) * loop_.grids + grid)];
                const uint8_t* code = &loop_.codes[size_t((begin_ + r) * loop_.kept + first)];
                for (int64_t c = 0; c < end - first; ++c) step[r * (end - first) + c] = float(code[c]) - zero;
            }
            const at::Tensor across = steps.matmul(hessian_.slice(0, first, end));
            const at::Tensor gain = pull_.slice(1, first, end).mul(steps).sum(1, false, at::kDouble);
            const at::Tensor curve = across.slice(1, first, end).mul(steps).sum(1, false, at::kDouble);
            at::Tensor change = at::zeros({rows_, 1}, at::kFloat);
            for (int64_t r = 0; r < rows_; ++r) {
                float& scale = loop_.scale[size_t((begin_ + r) * loop_.grids + grid)];
                const double bend = curve.const_data_ptr<double>()[r];
                if (!(bend > 0)) continue;
                const float wanted =
                    storedScale(float(scale + gain.const_data_ptr<double>()[r] / bend), recipe_.scaleType);
                if (!(wanted > 0) || !std::isfinite(wanted)) continue;
                change.data_ptr<float>()[r] = wanted - scale;
                scale = wanted;
            }
            value_.slice(1, first, end).addcmul_(steps, change);
            pull_.addcmul_(across, change, -1);
        }
    }

    void descend() {
        const float top = float((1 << recipe_.bits) - 1);
        const float* h = hessian_.const_data_ptr<float>();
        for (int64_t first = 0; first < loop_.kept; first += kBlock) {
            const int64_t width = std::min(kBlock, loop_.kept - first);
            at::Tensor changes = at::zeros({rows_, width}, at::kFloat);
            float* const change = changes.data_ptr<float>();
            kernels::parallelFor(rows_, 8, [&](int64_t from, int64_t to) {
                float pull[kBlock];
                for (int64_t r = from; r < to; ++r) {
                    std::copy_n(pull_.const_data_ptr<float>() + r * columns_ + first, width, pull);
                    uint8_t* code = &loop_.codes[size_t((begin_ + r) * loop_.kept + first)];
                    for (int64_t j = 0; j < width; ++j) {
                        const size_t grid = size_t((begin_ + r) * loop_.grids + gridOf(first + j));
                        const float scale = loop_.scale[grid], zero = loop_.zero[grid];
                        const float* row = h + (first + j) * columns_ + first;
                        const float old = scale * (float(code[j]) - zero);
                        const float wanted =
                            std::clamp(std::nearbyint((old + pull[j] / row[j]) / scale) + zero, 0.f, top);
                        if (wanted == float(code[j])) continue;
                        const float d = scale * (wanted - float(code[j]));
                        code[j] = uint8_t(wanted);
                        change[r * width + j] = d;
                        for (int64_t k = j; k < width; ++k) pull[k] -= d * row[k];
                    }
                }
            });
            value_.slice(1, first, first + width).add_(changes);
            pull_.addmm_(changes, hessian_.slice(0, first, first + width), 1, -1);
        }
    }

    void refitWeak() {
        if (loop_.kept == columns_) return;
        const at::Tensor own = hessian_.slice(0, loop_.kept).slice(1, loop_.kept);
        const auto [lower, info] = at::linalg_cholesky_ex(own.to(at::kDouble));
        if (info.item<int32_t>() != 0) return;  // they keep the loop's values
        const at::Tensor change =
            at::cholesky_solve(pull_.slice(1, loop_.kept).to(at::kDouble).t().contiguous(), lower)
                .t()
                .to(at::kFloat)
                .contiguous();
        value_.slice(1, loop_.kept).add_(change);
        pull_.addmm_(change, hessian_.slice(0, loop_.kept), 1, -1);
    }

    ColumnLoop& loop_;
    const at::Tensor& hessian_;
    const LinearRecipe& recipe_;
    const int64_t begin_, rows_, columns_;
    at::Tensor value_, target_;
    at::Tensor pull_;  ///< (W - Q) H: half the loss's slope against Q, turned round
};

}  // namespace

void refine(ColumnLoop& loop, const at::Tensor& target, const at::Tensor& hessian, const LinearRecipe& recipe,
            const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0);
    std::vector<double> loss(size_t(loop.kept), 0);
    for (int64_t begin = 0; begin < rows; begin += kRowsAtOnce) {
        Refinement part(loop, target, hessian, recipe, begin, std::min(rows, begin + kRowsAtOnce));
        for (int pass = 0; pass < recipe.refinePasses; ++pass) {
            checkStop(stop);
            part.pass();
        }
        part.addLoss(loss);
    }
    loop.error = 0;
    for (int64_t c = 0; c < loop.kept; ++c) {
        loop.loss[size_t(c)] = float(loss[size_t(c)]);
        loop.error += loss[size_t(c)];
    }
}

}  // namespace owq
