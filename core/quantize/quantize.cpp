// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/quantize.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/quantize/checks.h"
#include "core/quantize/column_loop.h"
#include "core/quantize/factor.h"
#include "core/quantize/quantize_tensor.h"
#include "core/quantize/refine.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr int kSearchSteps = 100;
constexpr int kDampingRaises = 3;
constexpr int64_t kHessianRows = 512;
constexpr int64_t kColumnsAtOnce = 512;  ///< of plain rounding

class Stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string percentText(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", share);
    return text;
}

/// A copy where the device can have it.
template <class T>
at::Tensor placed(const Device& device, const std::vector<T>& values, at::ScalarType type) {
    const at::Tensor host = at::from_blob(const_cast<T*>(values.data()), {int64_t(values.size())}, type);
    return host.to(device.place(), type, /*non_blocking=*/false, /*copy=*/true);
}

/// One linear on its way from weights to codes. Matrices stay on the device; decisions are made, and results lie, on the host.
class LinearQuantizer {
public:
    LinearQuantizer(const Device& device, const at::Tensor& weight, const at::Tensor& hessian, const LinearRecipe& recipe,
                    const std::stop_token& stop)
        : device_(device), weight_(weight), hessian_(hessian), rows_(weight.size(0)), columns_(weight.size(1)), recipe_(recipe),
          stop_(stop), kept_(columns_ - recipe.weakColumns) {}

    LinearOutcome run() {
        const Stopwatch total, search;
        check();
        analyze();
        chooseOrder();
        prepareGrids();
        device_.synchronize();
        out_.seconds.rangeSearch = search.seconds();
        const Stopwatch loop;
        loop_.kept = kept_;
        std::optional<Factor> factor;
        if (recipe_.method != Method::rtn && kept_ > 0) factor = factorized();
        const bool compensated = factor.has_value();
        takeColumns(compensated);
        if (compensated) {
            loop_.factor = std::move(*factor);
            factor.reset();
            const bool improves = recipe_.refinePasses || recipe_.eitherGrid;
            const at::Tensor target = improves ? loop_.weight.clone() : at::Tensor();
            runColumnLoop(device_, loop_, recipe_, stop_);
            if (improves) {
                const at::Tensor hessian = dampedHessian(out_.damping * meanDiagonal(), false);
                if (recipe_.eitherGrid) tryMinMax(target, hessian);
                if (!refine(device_, loop_, target, hessian, recipe_, stop_))
                    out_.notes.push_back("the weak columns were not fitted again: the Hessian of their inputs is not positive definite");
            }
            loop_.factor = {};
        } else {
            roundPlainly();
        }
        collect();
        out_.seconds.columnLoop = loop.seconds();
        out_.seconds.total = total.seconds();
        return std::move(out_);
    }

private:
    bool hasHessian() const { return hessian_.defined(); }

    void check() const {
        checkRecipe(rows_, columns_, hasHessian(), recipe_);
        // From a device only what is damaged is fetched, for the words that say where.
        if (!device_.isHost() && weight_.isfinite().all().item<bool>()) return;
        checkFinite(weight_.cpu().const_data_ptr<float>(), rows_, columns_);
    }

    void analyze() {
        if (hasHessian()) diagonal_ = floatsOf(hessian_.diagonal());
        out_.statistics = analyzeLinear(device_, weight_, hasHessian() ? diagonal_.data() : nullptr, recipe_, stop_);
        int64_t dead = std::count(diagonal_.begin(), diagonal_.end(), 0.f);
        if (dead)
            out_.notes.push_back(std::to_string(dead) + " of " + std::to_string(columns_) +
                                 " input columns were always 0 in calibration; their weights were set to 0");
    }

    std::vector<int32_t> ranked(WeakMetric metric) const {
        const at::Tensor weight = metric == WeakMetric::weightMagnitude ? weight_.cpu() : at::Tensor();
        return rankColumns(out_.statistics, weight.defined() ? weight.const_data_ptr<float>() : nullptr, rows_, columns_, metric);
    }

    void chooseOrder() {
        std::vector<int32_t>& order = out_.statistics.order;
        QuantizedLinear& linear = out_.weight;
        order.resize(columns_);
        std::iota(order.begin(), order.end(), 0);
        std::vector<int32_t> ranking;
        if (recipe_.weakColumns) ranking = ranked(recipe_.metric);
        linear.weakColumns.assign(ranking.begin(), ranking.begin() + recipe_.weakColumns);
        isWeak_.assign(columns_, 0);
        for (int32_t c : linear.weakColumns) isWeak_[c] = 1;
        if (recipe_.actOrder && hasHessian() && recipe_.method != Method::rtn)
            order = ranking.empty() ? ranked(WeakMetric::hessian) : ranking;
        std::erase_if(order, [&](int32_t c) { return isWeak_[c]; });
        order.insert(order.end(), linear.weakColumns.begin(), linear.weakColumns.end());
        std::sort(linear.weakColumns.begin(), linear.weakColumns.end());
        order_ = placed(device_, order, at::kInt).to(at::kLong);
    }

    /// Before dead columns are cleared: their weights still shape the grid, as in the authors' code.
    void prepareGrids() {
        QuantizedLinear& linear = out_.weight;
        linear.rows = rows_;
        linear.columns = columns_;
        linear.bits = recipe_.bits;
        linear.groupSize = recipe_.groupSize;
        linear.symmetric = recipe_.symmetric;
        loop_.grids = linear.groups();
        findRowGrids(loop_, recipe_.searchGrid);
    }

    /// Those of groups are found in the loop.
    void findRowGrids(ColumnLoop& loop, bool search) const {
        loop.scale = at::zeros({rows_, loop.grids}, device_.options(at::kFloat));
        loop.zero = at::zeros({rows_, loop.grids}, device_.options(at::kFloat));
        if (recipe_.groupSize) return;
        device_.findGrid(weight_, placed(device_, isWeak_, at::kByte), {recipe_.bits, kSearchSteps, recipe_.symmetric, search}, loop.scale,
                         loop.zero, stop_);
        loop.scale = storedScales(loop.scale, recipe_.scaleType);
    }

    /// The search minimises the error of plain rounding; with few levels and no outliers, rows that take the errors of others need more range.
    void tryMinMax(const at::Tensor& target, const at::Tensor& hessian) {
        ColumnLoop other{.weight = target.clone(), .factor = loop_.factor, .kept = loop_.kept, .grids = loop_.grids};
        findRowGrids(other, false);
        LinearRecipe recipe = recipe_;
        recipe.searchGrid = false;
        runColumnLoop(device_, other, recipe, stop_);
        keepBetterRows(device_, loop_, other, target, hessian, stop_);
    }

    bool isDead(int32_t c) const { return hasHessian() && diagonal_[c] == 0; }

    /// The working copy, columns in order.
    void takeColumns(bool clearDead) {
        loop_.weight = weight_.index_select(1, order_);
        std::vector<int64_t> dead;
        for (int64_t k = 0; clearDead && k < columns_; k++)
            if (isDead(out_.statistics.order[k])) dead.push_back(k);
        if (!dead.empty()) loop_.weight.index_fill_(1, placed(device_, dead, at::kLong), 0);
    }

    double meanDiagonal() const {
        double sum = 0;
        for (int64_t c = 0; c < columns_; c++) sum += isDead(int32_t(c)) ? 1 : diagonal_[c];
        return sum / double(columns_);
    }

    std::string cause() const {
        const at::Tensor host = hessian_.cpu();
        return likelyCause(host.const_data_ptr<float>(), columns_);
    }

    /// Raises the damping until H is positive definite; nothing when even that does not help.
    std::optional<Factor> factorized() {
        const double mean = meanDiagonal();
        out_.damping = recipe_.damping;
        for (int raise = 0;; raise++) {
            if (auto factor = factorize(device_, dampedHessian(out_.damping * mean, true), recipe_.groupSize > 0, stop_)) {
                if (raise)
                    out_.notes.push_back("the Hessian was not positive definite with damping " + percentText(recipe_.damping) +
                                         "; damping was raised to " + percentText(out_.damping) + ". Likely cause: " + cause());
                return factor;
            }
            if (raise == kDampingRaises) break;
            out_.damping = out_.damping > 0 ? out_.damping * 10 : 0.01;
        }
        out_.notes.push_back("the Hessian was not positive definite even with damping " + percentText(out_.damping) +
                             "; this linear was rounded plainly, without error compensation. Likely cause: " + cause());
        return {};
    }

    /// In the order of quantization, in float; to be factorized: that reversed, in double, of which the lower triangle counts.
    at::Tensor dampedHessian(double added, bool toFactor) const {
        const at::Tensor result = at::empty({columns_, columns_}, device_.options(toFactor ? at::kDouble : at::kFloat));
        std::vector<int32_t> order = out_.statistics.order;
        if (toFactor) std::reverse(order.begin(), order.end());
        std::vector<double> diagonal(columns_);
        for (int64_t i = 0; i < columns_; i++) diagonal[i] = (isDead(order[i]) ? 1 : double(diagonal_[order[i]])) + added;
        if (device_.isHost() && toFactor) {
            const float* const h = hessian_.const_data_ptr<float>();
            double* const to = result.data_ptr<double>();
            kernels::parallelFor(columns_, 16, [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; i++) {
                    const float* const row = h + order[i] * columns_;
                    double* const out = to + i * columns_;
                    for (int64_t k = 0; k < i; k++) out[k] = row[order[k]];
                    out[i] = diagonal[i];
                    std::fill(out + i + 1, out + columns_, 0.0);
                }
            });
            return result;
        }
        const at::Tensor there = toFactor ? order_.flip(0) : order_;
        // Some rows at a time: whole copies in between would be the largest matrices of the run.
        for (int64_t begin = 0; begin < columns_; begin += kHessianRows) {
            const int64_t end = std::min(columns_, begin + kHessianRows);
            result.slice(0, begin, end).copy_(hessian_.index_select(0, there.slice(0, begin, end)).index_select(1, there));
        }
        result.diagonal().copy_(placed(device_, diagonal, at::kDouble));
        return result;
    }

    void roundPlainly() {
        loop_.codes = at::empty({rows_, kept_}, device_.options(at::kByte));
        if (recipe_.groupSize) findGroupGrids(device_, loop_, 0, kept_, recipe_, stop_);
        const int64_t width = recipe_.groupSize ? recipe_.groupSize : kColumnsAtOnce;
        const at::Tensor squares = at::zeros({kept_}, device_.options(at::kDouble));
        for (int64_t begin = 0; begin < kept_; begin += width) {
            checkStop(stop_);
            const int64_t end = std::min(kept_, begin + width), grid = recipe_.groupSize ? begin / width : 0;
            const at::Tensor w = loop_.weight.slice(1, begin, end);
            const at::Tensor codes = at::empty({rows_, end - begin}, device_.options(at::kByte));
            const at::Tensor values = at::empty({rows_, end - begin}, device_.options(at::kFloat));
            device_.roundToGrid(w, loop_.scale.select(1, grid).contiguous(), loop_.zero.select(1, grid).contiguous(), recipe_.bits, codes,
                                values);
            device_.addSquaredDifferences(w, values, squares.slice(0, begin, end));
            loop_.codes.slice(1, begin, end).copy_(codes);
        }
        if (!hasHessian()) return;
        std::vector<double> weight(kept_);
        for (int64_t k = 0; k < kept_; k++) weight[k] = diagonal_[out_.statistics.order[k]];
        loop_.loss = squares.mul_(placed(device_, weight, at::kDouble)).div_(2);
    }

    void collect() {
        const std::vector<int32_t>& order = out_.statistics.order;
        QuantizedLinear& linear = out_.weight;
        const int64_t weak = recipe_.weakColumns, used = recipe_.groupSize ? (kept_ + recipe_.groupSize - 1) / recipe_.groupSize : 1;
        linear.scale = floatsOf(loop_.scale);
        linear.zero = floatsOf(loop_.zero);
        for (int64_t r = 0; r < rows_; r++) {
            // Groups that the weak columns left empty: any valid grid.
            for (int64_t g = used; g < loop_.grids; g++) {
                linear.scale[r * loop_.grids + g] = used ? linear.scale[r * loop_.grids + used - 1] : 1.f;
                linear.zero[r * loop_.grids + g] = used ? linear.zero[r * loop_.grids + used - 1] : 0.f;
            }
        }
        linear.codes.resize(rows_ * columns_);
        const std::vector<int32_t> grid = gridOfColumns(linear);
        const at::Tensor codes = loop_.codes.cpu(), weakPart = loop_.weight.slice(1, kept_).cpu().contiguous();
        const uint8_t* const code = codes.const_data_ptr<uint8_t>();
        const float* const weakOf = weakPart.const_data_ptr<float>();
        std::vector<float> weakWeight(rows_ * weak);
        std::vector<int64_t> place(columns_);  // where in the order each column is
        for (int64_t k = 0; k < columns_; k++) place[order[k]] = k;
        kernels::parallelFor(rows_, 16, [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; r++) {
                for (int64_t k = 0; k < kept_; k++) linear.codes[r * columns_ + order[k]] = code[r * kept_ + k];
                for (int64_t k = 0; k < weak; k++) {
                    const int32_t c = linear.weakColumns[k];
                    linear.codes[r * columns_ + c] = uint8_t(linear.zero[r * linear.groups() + grid[c]]);
                    weakWeight[r * weak + k] = weakOf[r * weak + place[c] - kept_];
                }
            }
        });
        linear.weakWeight = Tensor::rounded(recipe_.storedType, {rows_, weak}, weakWeight).toFloat();
        if (!loop_.loss.defined()) return;
        out_.statistics.columnLoss = floatsOf(loop_.loss);
        const at::Tensor loss = loop_.loss.cpu();
        out_.error = std::accumulate(loss.const_data_ptr<double>(), loss.const_data_ptr<double>() + kept_, 0.0);
    }

    const Device& device_;
    const at::Tensor &weight_, &hessian_;
    const int64_t rows_, columns_;
    const LinearRecipe& recipe_;
    const std::stop_token& stop_;
    const int64_t kept_;
    std::vector<float> diagonal_;  ///< of the Hessian, empty without one
    std::vector<uint8_t> isWeak_;
    at::Tensor order_;             ///< LinearStatistics::order, int64 on the device
    ColumnLoop loop_;
    LinearOutcome out_;
};

}  // namespace

LinearOutcome quantizeLinear(const Device& device, const at::Tensor& weight, const at::Tensor& hessian, const LinearRecipe& recipe,
                             const std::stop_token& stop) {
    const c10::InferenceMode withoutGradients;
    // A Hessian that is not finite says nothing: such a linear is rounded as if there were none, and says so.
    const int64_t columns = weight.size(1);
    int64_t damaged = -1;
    if (hessian.defined() && (device.isHost() || !hessian.isfinite().all().item<bool>()))
        damaged = firstNonFinite(hessian.cpu().const_data_ptr<float>(), columns * columns);
    if (damaged < 0) return LinearQuantizer(device, weight, hessian, recipe, stop).run();
    checkRecipe(weight.size(0), columns, true, recipe);
    LinearRecipe plain = recipe;
    plain.method = Method::rtn;
    plain.metric = WeakMetric::weightMagnitude;
    plain.actOrder = plain.eitherGrid = false;
    LinearOutcome outcome = LinearQuantizer(device, weight, {}, plain, stop).run();
    outcome.notes.push_back("the Hessian is not finite at input column " + std::to_string(damaged % columns) +
                            "; this linear was rounded plainly, without error compensation. Likely cause: an input was NaN or infinite in "
                            "calibration, by an overflow in a 16-bit model or damaged embeddings");
    return outcome;
}

LinearOutcome quantizeLinear(const float* weight, int64_t rows, int64_t columns, const float* hessian,
                             const LinearRecipe& recipe, std::stop_token stop) {
    const c10::InferenceMode withoutGradients;
    checkRecipe(rows, columns, hessian != nullptr, recipe);
    const auto matrix = [](const float* values, int64_t height, int64_t width) {
        return at::from_blob(const_cast<float*>(values), {height, width}, at::kFloat);
    };
    const at::Tensor w = matrix(weight, rows, columns), h = hessian ? matrix(hessian, columns, columns) : at::Tensor();
    return quantizeLinear(hostDevice(), w, h, recipe, stop);
}

}  // namespace owq
