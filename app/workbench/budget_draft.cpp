// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/budget_draft.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace owq {
namespace {

/// The mean square of rounding to a grid of 2^bits levels over the same range, but for a factor.
double squareStep(int bits) {
    const double levels = std::exp2(bits) - 1;
    return 1 / (levels * levels);
}

int64_t mostWeakColumns(const LinearInfo& linear) { return std::max<int64_t>(0, linear.columns - 1); }

}  // namespace

Recipe BudgetChoice::recipe() const {
    Recipe r;
    r.method = method;
    r.bits = bits;
    // A target below the codes gives no weak column: the same as one equal to them.
    if (method == Method::owq) r.targetBits = std::max(targetBits, double(bits));
    r.groupSize = groupSize;
    return r;
}

void BudgetDraft::open(std::shared_ptr<const ModelInfo> model, const BudgetChoice& choice) {
    model_ = std::move(model);
    predictions_.clear();
    places_.clear();
    for (size_t i = 0; i < model_->linears.size(); ++i) places_.emplace(model_->linears[i].name, i);
    state_ = {choice, planBudget(*model_, choice.recipe()), false};
}

size_t BudgetDraft::placeOf(const std::string& name) const {
    const auto it = places_.find(name);
    return it == places_.end() ? places_.size() : it->second;
}

BudgetPlan BudgetDraft::planOf(const BudgetChoice& choice, const BudgetPlan& given) const {
    BudgetPlan plan = allocateByPaper(*model_, choice.recipe(), given);
    if (choice.method != Method::owq)
        for (LinearBudget& b : plan.linears) b.weakColumns = 0;  // they belong to owq alone
    return plan;
}

BudgetDraft::State BudgetDraft::withChoice(const BudgetChoice& choice) const {
    State next{choice, planOf(choice, state_.plan), false};
    next.edited = std::any_of(next.plan.linears.begin(), next.plan.linears.end(), [](const LinearBudget& b) { return b.locked; });
    return next;
}

BudgetDraft::State BudgetDraft::allocatedByPaper() const { return withChoice(state_.choice); }

template <class Change>
BudgetDraft::State BudgetDraft::changed(const std::vector<std::string>& names, Change change) const {
    State next = state_;
    for (const std::string& name : names)
        if (const size_t i = placeOf(name); i < next.plan.linears.size()) change(next.plan.linears[i], model_->linears[i]);
    next.edited = true;
    return next;
}

BudgetDraft::State BudgetDraft::withBits(const std::vector<std::string>& names, int bits) const {
    return changed(names, [&](LinearBudget& b, const LinearInfo&) {
        b.bits = bits;
        if (bits >= 16) b.weakColumns = 0;
        b.locked = true;
    });
}

BudgetDraft::State BudgetDraft::withWeakColumns(const std::vector<std::string>& names, int64_t weakColumns) const {
    return changed(names, [&](LinearBudget& b, const LinearInfo& l) {
        if (b.bits >= 16 || state_.choice.method != Method::owq) return;
        b.weakColumns = std::clamp<int64_t>(weakColumns, 0, mostWeakColumns(l));
        b.locked = true;
    });
}

BudgetDraft::State BudgetDraft::withLocked(const std::vector<std::string>& names, bool locked) const {
    State next = changed(names, [&](LinearBudget& b, const LinearInfo&) { b.locked = locked; });
    next.edited = state_.edited || locked;
    return next;
}

BudgetDraft::State BudgetDraft::withPlan(BudgetPlan plan) const {
    if (state_.choice.method != Method::owq)
        for (LinearBudget& b : plan.linears) b.weakColumns = 0;
    return {state_.choice, std::move(plan), true};
}

BudgetDraft::State BudgetDraft::allocatedByAnalysis() const {
    const Recipe recipe = state_.choice.recipe();
    // What may be spent is what the paper's rule would spend around the locked linears.
    const BudgetPlan plan = planOf(state_.choice, state_.plan);
    std::vector<PredictedLoss> losses;
    for (const LinearBudget& b : plan.linears) {
        const auto known = predictions_.find(b.name);
        if (known == predictions_.end() || b.bits >= 16) continue;
        const float scale = float(squareStep(b.bits) / squareStep(known->second.bits));
        std::vector<float> columns = known->second.sorted;
        for (float& c : columns) c *= scale;
        losses.push_back({b.name, {{b.bits, std::move(columns)}}});
    }
    return withPlan(allocateGreedy(*model_, recipe, plan, losses));
}

void BudgetDraft::learn(const std::string& name, int bits, const std::vector<float>& sensitivity) {
    const size_t i = placeOf(name);
    if (i >= places_.size() || int64_t(sensitivity.size()) != model_->linears[i].columns || bits >= 16) return;
    Prediction p{bits, sensitivity, {}};
    for (float& s : p.sorted) s = std::isfinite(s) ? s / 2 : 0;
    std::sort(p.sorted.begin(), p.sorted.end(), std::greater<>());
    p.left.assign(p.sorted.size() + 1, 0);
    for (size_t k = p.sorted.size(); k-- > 0;) p.left[k] = p.left[k + 1] + double(p.sorted[k]);
    predictions_[name] = std::move(p);
}

void BudgetDraft::forget() { predictions_.clear(); }

bool BudgetDraft::knows(const std::string& name) const { return predictions_.contains(name); }

bool BudgetDraft::knowsAll() const { return model_ && predictions_.size() == model_->linears.size(); }

std::optional<double> BudgetDraft::predictedError(const LinearBudget& b) const {
    if (b.bits >= 16) return 0;
    const auto it = predictions_.find(b.name);
    if (it == predictions_.end()) return {};
    const size_t k = std::min(size_t(b.weakColumns), it->second.left.size() - 1);
    return it->second.left[k] * squareStep(b.bits) / squareStep(it->second.bits);
}

double BudgetDraft::storedBits(const LinearInfo& linear, const LinearBudget& b) const {
    if (b.bits >= 16) return 8.0 * double(byteSize(linear.dtype));
    return 8.0 * double(storedBytes(linear, b, state_.choice.groupSize)) / (double(linear.rows) * double(linear.columns));
}

BudgetDraft::Totals BudgetDraft::totals() const {
    const int64_t group = state_.choice.groupSize;
    Totals t;
    t.bits = effectiveBits(*model_, state_.plan, group);
    t.fileBytes = plannedFileBytes(*model_, state_.plan, group);
    t.planBytes = plannedFileBytes(*model_, planBudget(*model_, state_.choice.recipe()), group);
    double sum = 0;
    for (const LinearBudget& b : state_.plan.linears) {
        const auto error = predictedError(b);
        if (!error) return t;
        sum += *error;
    }
    t.predictedError = sum;
    return t;
}

}  // namespace owq
