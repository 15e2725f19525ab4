// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/refine.h"

#include <ATen/ops/cholesky_solve.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/base/progress.h"
#include "kernels/column_loop.h"

namespace owq {
namespace {

constexpr int64_t kBlock = kernels::kBlockColumns;  ///< columns whose codes are chosen before the others hear of it
/// Rows are independent; a slice at a time bounds memory and the time to a stop.
int64_t rowsAtOnce(const Device& device) { return device.isHost() ? 1024 : 16384; }

/// One slice of rows.
class Refinement {
public:
    Refinement(const Device& device, ColumnLoop& loop, const at::Tensor& target, const at::Tensor& hessian,
               const LinearRecipe& recipe, int64_t begin, int64_t end)
        : device_(device),
          factor_(loop.factor),
          hessian_(hessian),
          recipe_(recipe),
          columns_(loop.weight.size(1)),
          kept_(loop.kept),
          scale_(loop.scale.slice(0, begin, end)),
          zero_(loop.zero.slice(0, begin, end)),
          grid_(gridOfEach(device, loop.kept, recipe.groupSize)),
          codes_(loop.codes.slice(0, begin, end)),
          value_(loop.weight.slice(0, begin, end)),
          target_(target.slice(0, begin, end)),
          pull_(target_.sub(value_).matmul(hessian_)) {}

    bool weakFitted() const { return weakFitted_; }

    void pass(const std::stop_token& stop) {
        refitScales(stop);
        descend(stop);
        refitWeak();
    }

    /// Adds to the loss of each column, in the loop's terms: half the squared errors after compensation, (W - Q) R
    /// = (W - Q) U⁻¹.
    void addLoss(at::Tensor loss) const {
        const at::Tensor left = target_.sub(value_);
        const at::Tensor error = factor_.inverted
                                     ? at::linalg_solve_triangular(factor_.unit, left, true, false).contiguous()
                                     : left.matmul(factor_.unit);
        if (!device_.isHost()) {
            at::Tensor lost = error.slice(1, 0, kept_).to(at::kDouble);
            if (!factor_.inverted) lost.div_(factor_.pivot.slice(0, 0, kept_));
            loss.add_(lost.square_().sum(0), 0.5);
            return;
        }
        const float *const from = error.const_data_ptr<float>(), *const pivot = factor_.pivot.const_data_ptr<float>();
        double* const sum = loss.data_ptr<double>();
        for (int64_t r = 0; r < error.size(0); ++r)
            for (int64_t c = 0; c < kept_; ++c) {
                const double lost = from[r * columns_ + c] / (factor_.inverted ? 1 : double(pivot[c]));
                sum[c] += lost * lost / 2;
            }
    }

private:
    /// For each grid s ← s + ⟨(W - Q) H, C⟩ / ⟨C H, C⟩ with C = code - zero inside the grid, 0 elsewhere.
    void refitScales(const std::stop_token& stop) {
        const int64_t width = recipe_.groupSize ? recipe_.groupSize : kept_;
        for (int64_t first = 0; first < kept_; first += width) {
            checkStop(stop);
            const int64_t end = std::min(kept_, first + width), grid = first / width;
            const at::Tensor scale = scale_.select(1, grid);
            const at::Tensor steps = codes_.slice(1, first, end).to(at::kFloat).sub_(zero_.select(1, grid).unsqueeze(1));
            const at::Tensor across = steps.matmul(hessian_.slice(0, first, end));
            const at::Tensor gain = pull_.slice(1, first, end).mul(steps).sum(1, false, at::kDouble);
            const at::Tensor curve = across.slice(1, first, end).mul(steps).sum(1, false, at::kDouble);
            const at::Tensor wanted =
                storedScales(scale.to(at::kDouble).add_(gain.div(curve)).to(at::kFloat), recipe_.scaleType);
            const at::Tensor better = curve.gt(0).logical_and_(wanted.gt(0)).logical_and_(wanted.isfinite());
            const at::Tensor chosen = at::where(better, wanted, scale), change = chosen.sub(scale).unsqueeze(1);
            scale.copy_(chosen);
            value_.slice(1, first, end).addcmul_(steps, change);
            pull_.addcmul_(across, change, -1);
        }
    }

    void descend(const std::stop_token& stop) {
        for (int64_t first = 0; first < kept_; first += kBlock) {
            checkStop(stop);
            const int64_t end = std::min(kept_, first + kBlock);
            const at::Tensor change = at::empty({value_.size(0), end - first}, device_.options(at::kFloat));
            device_.descendBlock({.pull = pull_.slice(1, first, end),
                                  .hessian = hessian_.slice(0, first, end).slice(1, first, end),
                                  .scale = scale_,
                                  .zero = zero_,
                                  .grid = grid_.slice(0, first, end),
                                  .bits = recipe_.bits,
                                  .codes = codes_.slice(1, first, end),
                                  .change = change});
            value_.slice(1, first, end).add_(change);
            pull_.addmm_(change, hessian_.slice(0, first, end), 1, -1);
        }
    }

    void refitWeak() {
        if (kept_ == columns_) return;
        const at::Tensor own = hessian_.slice(0, kept_).slice(1, kept_);
        const auto [lower, info] = at::linalg_cholesky_ex(own.to(at::kDouble));
        if (info.item<int32_t>() != 0) {
            weakFitted_ = false;
            return;
        }
        const at::Tensor change = at::cholesky_solve(pull_.slice(1, kept_).to(at::kDouble).t().contiguous(), lower)
                                      .t()
                                      .to(at::kFloat)
                                      .contiguous();
        value_.slice(1, kept_).add_(change);
        pull_.addmm_(change, hessian_.slice(0, kept_), 1, -1);
    }

    const Device& device_;
    const Factor& factor_;
    const at::Tensor& hessian_;
    const LinearRecipe& recipe_;
    const int64_t columns_, kept_;
    const at::Tensor scale_, zero_, grid_, codes_, value_, target_;  ///< views of the loop's rows
    bool weakFitted_ = true;  ///< else the Hessian of their own inputs is not positive definite, and they keep the loop's values
    const at::Tensor pull_;  ///< (W - Q) H: half the loss's slope against Q, turned round
};

}  // namespace

void keepBetterRows(const Device& device, ColumnLoop& loop, const ColumnLoop& other, const at::Tensor& target, const at::Tensor& hessian,
                    const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), slice = rowsAtOnce(device);
    for (int64_t begin = 0; begin < rows; begin += slice) {
        checkStop(stop);
        const int64_t end = std::min(rows, begin + slice);
        const auto loss = [&](const ColumnLoop& of) {
            const at::Tensor left = target.slice(0, begin, end).sub(of.weight.slice(0, begin, end));
            return left.matmul(hessian).mul_(left).sum(1, false, at::kDouble);
        };
        const at::Tensor better = loss(other).lt(loss(loop)).unsqueeze(1);
        const auto take = [&](const at::Tensor& to, const at::Tensor& from) {
            to.slice(0, begin, end).copy_(at::where(better, from.slice(0, begin, end), to.slice(0, begin, end)));
        };
        take(loop.weight, other.weight);
        take(loop.codes, other.codes);
        take(loop.scale, other.scale);
        take(loop.zero, other.zero);
    }
}

bool refine(const Device& device, ColumnLoop& loop, const at::Tensor& target, const at::Tensor& hessian, const LinearRecipe& recipe,
            const std::stop_token& stop) {
    const int64_t rows = loop.weight.size(0), slice = rowsAtOnce(device);
    loop.loss = at::zeros({loop.kept}, device.options(at::kDouble));
    bool fitted = true;
    for (int64_t begin = 0; begin < rows; begin += slice) {
        Refinement part(device, loop, target, hessian, recipe, begin, std::min(rows, begin + slice));
        for (int pass = 0; pass < recipe.refinePasses; ++pass) {
            checkStop(stop);
            part.pass(stop);
        }
        part.addLoss(loop.loss);
        fitted &= part.weakFitted();
    }
    return fitted;
}

}  // namespace owq
