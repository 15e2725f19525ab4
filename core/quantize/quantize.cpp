// SPDX-License-Identifier: Apache-2.0
#include "core/quantize/quantize.h"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/quantize/checks.h"
#include "core/quantize/column_loop.h"
#include "core/quantize/factor.h"
#include "core/quantize/refine.h"
#include "kernels/range_search.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr int kSearchSteps = 100;
constexpr int kDampingRaises = 3;

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

/// One linear on its way from weights to codes.
class LinearQuantizer {
public:
    LinearQuantizer(const float* weight, int64_t rows, int64_t columns, const float* hessian, const LinearRecipe& recipe,
                    const std::stop_token& stop)
        : weight_(weight), rows_(rows), columns_(columns), hessian_(hessian), recipe_(recipe), stop_(stop),
          kept_(columns - recipe.weakColumns) {}

    LinearOutcome run() {
        const Stopwatch total, search;
        checkInput(weight_, rows_, columns_, hessian_, recipe_);
        analyze();
        chooseOrder();
        findRowGrids();
        out_.seconds.rangeSearch = search.seconds();
        const Stopwatch loop;
        loop_.kept = kept_;
        std::optional<Factor> factor;
        if (recipe_.method != Method::rtn && kept_ > 0) factor = factorized();
        const bool compensated = factor.has_value();
        if (compensated) {
            takeColumns(true);
            loop_.factor = std::move(*factor);
            const at::Tensor target = recipe_.refinePasses ? loop_.weight.clone() : at::Tensor();
            runColumnLoop(loop_, recipe_, stop_);
            if (recipe_.refinePasses) refine(loop_, target, dampedHessian<float>(out_.damping * meanDiagonal(), false), recipe_, stop_);
            loop_.factor = {};
        } else {
            takeColumns(false);
            roundPlainly();
        }
        collect();
        out_.seconds.columnLoop = loop.seconds();
        out_.seconds.total = total.seconds();
        return std::move(out_);
    }

private:
    void analyze() {
        std::vector<float> diagonal;
        if (hessian_) {
            diagonal.resize(columns_);
            for (int64_t c = 0; c < columns_; c++) diagonal[c] = hessian_[c * columns_ + c];
        }
        out_.statistics =
            analyzeLinear(weight_, rows_, columns_, hessian_ ? diagonal.data() : nullptr, recipe_, stop_);
        int64_t dead = std::count(diagonal.begin(), diagonal.end(), 0.f);
        if (dead)
            out_.notes.push_back(std::to_string(dead) + " of " + std::to_string(columns_) +
                                 " input columns were always 0 in calibration; their weights were set to 0");
    }

    void chooseOrder() {
        std::vector<int32_t>& order = out_.statistics.order;
        QuantizedLinear& linear = out_.weight;
        order.resize(columns_);
        std::iota(order.begin(), order.end(), 0);
        std::vector<int32_t> ranking;
        if (recipe_.weakColumns) ranking = rankColumns(out_.statistics, weight_, rows_, columns_, recipe_.metric);
        linear.weakColumns.assign(ranking.begin(), ranking.begin() + recipe_.weakColumns);
        isWeak_.assign(columns_, 0);
        for (int32_t c : linear.weakColumns) isWeak_[c] = 1;
        if (recipe_.actOrder && hessian_ && recipe_.method != Method::rtn)
            order = ranking.empty() ? rankColumns(out_.statistics, weight_, rows_, columns_, WeakMetric::hessian) : ranking;
        std::erase_if(order, [&](int32_t c) { return isWeak_[c]; });
        order.insert(order.end(), linear.weakColumns.begin(), linear.weakColumns.end());
        std::sort(linear.weakColumns.begin(), linear.weakColumns.end());
    }

    /// Before dead columns are cleared: their weights still shape the grid, as in the authors' code.
    void findRowGrids() {
        QuantizedLinear& linear = out_.weight;
        linear.rows = rows_;
        linear.columns = columns_;
        linear.bits = recipe_.bits;
        linear.groupSize = recipe_.groupSize;
        linear.symmetric = recipe_.symmetric;
        loop_.grids = linear.groups();
        loop_.scale.resize(rows_ * loop_.grids);
        loop_.zero.resize(rows_ * loop_.grids);
        if (recipe_.groupSize) return;
        // In slices, so that a stop is answered between them even where the pool is busy elsewhere.
        kernels::findGrid(weight_, rows_, columns_, columns_, isWeak_.data(),
                          {recipe_.bits, kSearchSteps, recipe_.symmetric, recipe_.searchGrid}, loop_.scale.data(), loop_.zero.data(),
                          stop_);
        checkStop(stop_);
        if (recipe_.scaleType != DType::f32)
            for (float& s : loop_.scale) s = storedScale(s, recipe_.scaleType);
    }

    bool isDead(int32_t c) const { return hessian_ && hessian_[int64_t(c) * columns_ + c] == 0; }

    /// The working copy, columns in order.
    void takeColumns(bool clearDead) {
        const std::vector<int32_t>& order = out_.statistics.order;
        std::vector<uint8_t> dead(columns_, 0);
        for (int64_t k = 0; k < columns_; k++) dead[k] = clearDead && isDead(order[k]);
        loop_.weight = at::empty({rows_, columns_}, at::kFloat);
        float* to = loop_.weight.data_ptr<float>();
        kernels::parallelFor(rows_, 16, [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; r++)
                for (int64_t k = 0; k < columns_; k++)
                    to[r * columns_ + k] = dead[k] ? 0 : weight_[r * columns_ + order[k]];
        });
    }

    double meanDiagonal() const {
        double sum = 0;
        for (int64_t c = 0; c < columns_; c++) sum += isDead(int32_t(c)) ? 1 : hessian_[c * columns_ + c];
        return sum / double(columns_);
    }

    /// Raises the damping until H is positive definite; nothing when even that does not help.
    std::optional<Factor> factorized() {
        const double mean = meanDiagonal();
        out_.damping = recipe_.damping;
        for (int raise = 0;; raise++) {
            if (auto factor = factorize(dampedHessian<double>(out_.damping * mean, true), recipe_.groupSize > 0, stop_)) {
                if (raise)
                    out_.notes.push_back("the Hessian was not positive definite with damping " + percentText(recipe_.damping) +
                                         "; damping was raised to " + percentText(out_.damping) + ". Likely cause: " +
                                         likelyCause(hessian_, columns_));
                return factor;
            }
            if (raise == kDampingRaises) break;
            out_.damping = out_.damping > 0 ? out_.damping * 10 : 0.01;
        }
        out_.notes.push_back("the Hessian was not positive definite even with damping " + percentText(out_.damping) +
                             "; this linear was rounded plainly, without error compensation. Likely cause: " +
                             likelyCause(hessian_, columns_));
        return {};
    }

    /// In the order of quantization, or that reversed.
    template <class T>
    at::Tensor dampedHessian(double added, bool reversed) const {
        const std::vector<int32_t>& order = out_.statistics.order;
        at::Tensor result = at::empty({columns_, columns_}, c10::CppTypeToScalarType<T>::value);
        T* h = result.data_ptr<T>();
        const auto at = [&](int64_t i) { return order[reversed ? columns_ - 1 - i : i]; };
        kernels::parallelFor(columns_, 16, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i++) {
                const float* row = hessian_ + int64_t(at(i)) * columns_;
                for (int64_t j = 0; j < columns_; j++) h[i * columns_ + j] = T(row[at(j)]);
                h[i * columns_ + i] = T((isDead(at(i)) ? 1 : double(row[at(i)])) + added);
            }
        });
        return result;
    }

    void roundPlainly() {
        const float* weight = loop_.weight.data_ptr<float>();
        loop_.codes.resize(rows_ * kept_);
        if (recipe_.groupSize)
            findGroupGrids(weight, rows_, columns_, kept_, 0, kept_, recipe_, loop_.grids, loop_.scale, loop_.zero, stop_);
        const int64_t width = recipe_.groupSize ? recipe_.groupSize : std::max<int64_t>(1, kept_);
        std::vector<double> squares(kept_, 0);
        std::vector<float> scale(rows_), zero(rows_), values(rows_ * width);
        std::vector<uint8_t> codes(rows_ * width);
        for (int64_t begin = 0; begin < kept_; begin += width) {
            checkStop(stop_);
            const int64_t count = std::min(width, kept_ - begin), grid = begin / width;
            for (int64_t r = 0; r < rows_; r++) {
                scale[r] = loop_.scale[r * loop_.grids + grid];
                zero[r] = loop_.zero[r * loop_.grids + grid];
            }
            kernels::roundToGrid(weight + begin, rows_, count, columns_, scale.data(), zero.data(), recipe_.bits, codes.data(),
                                 values.data());
            for (int64_t r = 0; r < rows_; r++) {
                std::copy_n(&codes[r * count], count, &loop_.codes[r * kept_ + begin]);
                for (int64_t c = 0; c < count; c++) {
                    const float d = weight[r * columns_ + begin + c] - values[r * count + c];
                    squares[begin + c] += double(d) * d;
                }
            }
        }
        if (!hessian_) return;
        loop_.loss.resize(kept_);
        for (int64_t k = 0; k < kept_; k++) {
            const double loss = out_.statistics.hessianDiagonal[out_.statistics.order[k]] * squares[k] / 2;
            loop_.loss[k] = float(loss);
            loop_.error += loss;
        }
    }

    void collect() {
        const std::vector<int32_t>& order = out_.statistics.order;
        QuantizedLinear& linear = out_.weight;
        const int64_t weak = recipe_.weakColumns, used = recipe_.groupSize ? (kept_ + recipe_.groupSize - 1) / recipe_.groupSize : 1;
        for (int64_t r = 0; r < rows_; r++) {
            // Groups that the weak columns left empty: any valid grid.
            for (int64_t g = used; g < loop_.grids; g++) {
                loop_.scale[r * loop_.grids + g] = used ? loop_.scale[r * loop_.grids + used - 1] : 1.f;
                loop_.zero[r * loop_.grids + g] = used ? loop_.zero[r * loop_.grids + used - 1] : 0.f;
            }
        }
        linear.scale = std::move(loop_.scale);
        linear.zero = std::move(loop_.zero);
        linear.codes.resize(rows_ * columns_);
        const std::vector<int32_t> grid = gridOfColumns(linear);
        const float* weight = loop_.weight.data_ptr<float>();
        std::vector<float> weakWeight(rows_ * weak);
        std::vector<int64_t> place(columns_);  // where in the order each column is
        for (int64_t k = 0; k < columns_; k++) place[order[k]] = k;
        kernels::parallelFor(rows_, 16, [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; r++) {
                for (int64_t k = 0; k < kept_; k++) linear.codes[r * columns_ + order[k]] = loop_.codes[r * kept_ + k];
                for (int64_t k = 0; k < weak; k++) {
                    const int32_t c = linear.weakColumns[k];
                    linear.codes[r * columns_ + c] = uint8_t(linear.zero[r * linear.groups() + grid[c]]);
                    weakWeight[r * weak + k] = weight[r * columns_ + place[c]];
                }
            }
        });
        linear.weakWeight = Tensor::rounded(recipe_.storedType, {rows_, weak}, weakWeight).toFloat();
        out_.statistics.columnLoss = std::move(loop_.loss);
        out_.error = loop_.error;
    }

    const float* weight_;
    const int64_t rows_, columns_;
    const float* hessian_;
    const LinearRecipe& recipe_;
    const std::stop_token& stop_;
    const int64_t kept_;
    std::vector<uint8_t> isWeak_;
    ColumnLoop loop_;
    LinearOutcome out_;
};

}  // namespace

LinearOutcome quantizeLinear(const float* weight, int64_t rows, int64_t columns, const float* hessian,
                             const LinearRecipe& recipe, std::stop_token stop) {
    const c10::InferenceMode withoutGradients;
    return LinearQuantizer(weight, rows, columns, hessian, recipe, stop).run();
}

}  // namespace owq
