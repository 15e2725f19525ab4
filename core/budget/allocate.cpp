// SPDX-License-Identifier: Apache-2.0
#include "core/budget/allocate.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/base/name_pattern.h"

namespace owq {
namespace {

constexpr int kWidths[] = {2, 3, 4, 8};

/// One width of one linear. Weak columns are bought in pairs, the most harmful first.
struct Width {
    int bits = 0;
    double bytes = 0, bytesPerPair = 0;
    std::vector<double> gain;  ///< of each further pair, falling
    std::vector<double> left;  ///< loss with that many pairs
};

struct Choice {
    size_t width = 0, pairs = 0;
};

struct Candidate {
    LinearBudget* budget;
    std::vector<Width> widths;

    const Width& at(const Choice& c) const { return widths[c.width]; }
    double bytes(const Choice& c) const { return at(c).bytes + double(c.pairs) * at(c).bytesPerPair; }

    /// The least loss plus price.
    Choice best(double price) const {
        Choice found;
        double least = INFINITY;
        for (size_t w = 0; w < widths.size(); ++w) {
            const double pairPrice = price * widths[w].bytesPerPair;
            const auto end = std::partition_point(widths[w].gain.begin(), widths[w].gain.end(), [=](double g) { return g > pairPrice; });
            const Choice here{w, size_t(end - widths[w].gain.begin())};
            const double cost = widths[w].left[here.pairs] + price * bytes(here);
            if (cost < least) least = cost, found = here;
        }
        return found;
    }
};

Width widthOf(const LinearInfo& linear, int bits, const std::vector<float>& loss, bool mayBeWeak, int64_t groupSize) {
    const auto bytes = [&](int64_t weak) { return double(storedBytes(linear, {linear.name, bits, weak}, groupSize)); };
    Width width{bits, bytes(0), (bytes(8) - bytes(0)) / 4, {}, {}};
    std::vector<double> sorted(loss.begin(), loss.end());
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const size_t pairs = mayBeWeak && linear.columns > 8 ? size_t(linear.columns - 1) / 2 : 0;  // a linear needs a column to quantize
    double left = 0;
    for (double l : sorted) left += l;
    width.left.push_back(left);
    for (size_t p = 0; p < pairs; ++p) {
        const double gain = sorted[2 * p] + sorted[2 * p + 1];
        left -= gain;
        width.gain.push_back(gain);
        width.left.push_back(std::max(0.0, left));
    }
    return width;
}

std::vector<Choice> choose(const std::vector<Candidate>& candidates, double price, double& bytes) {
    std::vector<Choice> all;
    bytes = 0;
    for (const Candidate& c : candidates) {
        all.push_back(c.best(price));
        bytes += c.bytes(all.back());
    }
    return all;
}

/// Pair by pair, the best for its bytes first, while one fits.
void spendRest(const std::vector<Candidate>& candidates, std::vector<Choice>& choices, double rest) {
    for (;;) {
        size_t best = candidates.size();
        double most = 0;
        for (size_t i = 0; i < candidates.size(); ++i) {
            const Width& w = candidates[i].at(choices[i]);
            if (choices[i].pairs >= w.gain.size() || w.bytesPerPair > rest) continue;
            if (const double worth = w.gain[choices[i].pairs] / w.bytesPerPair; worth > most) most = worth, best = i;
        }
        if (best == candidates.size()) return;
        rest -= candidates[best].at(choices[best]).bytesPerPair;
        ++choices[best].pairs;
    }
}

}  // namespace

std::vector<int> candidateWidths(int bits) {
    const auto own = std::find(std::begin(kWidths), std::end(kWidths), bits);
    if (own == std::end(kWidths)) return {bits};
    return {own == std::begin(kWidths) ? own : own - 1, own + 1 == std::end(kWidths) ? own + 1 : own + 2};
}

int64_t openCount(const BudgetPlan& plan) { return std::count_if(plan.linears.begin(), plan.linears.end(), isOpen); }

BudgetPlan allocateByPaper(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan) {
    const auto spent = [&](const BudgetPlan& p) { return plannedFileBytes(model, p, recipe.groupSize); };
    const auto withTarget = [&](double target) {
        Recipe asked = recipe;
        if (asked.method == Method::owq) asked.targetBits = target;
        BudgetPlan result = planBudget(model, asked);
        for (size_t i = 0; i < std::min(result.linears.size(), plan.linears.size()); ++i)
            if (plan.linears[i].locked) result.linears[i] = plan.linears[i];
        return result;
    };
    const uint64_t limit = spent(planBudget(model, recipe));
    BudgetPlan best = withTarget(targetBits(recipe));
    const bool any = std::any_of(plan.linears.begin(), plan.linears.end(), [](const LinearBudget& b) { return b.locked; });
    if (recipe.method != Method::owq || recipe.weakColumns >= 0 || !any) return best;
    best = withTarget(recipe.bits);
    if (spent(best) > limit) return best;
    double low = recipe.bits, high = 16;
    for (int i = 0; i < 40; ++i) {  // the rule is a staircase: far below its smallest step
        const double middle = (low + high) / 2;
        BudgetPlan there = withTarget(middle);
        if (spent(there) <= limit) {
            low = middle;
            best = std::move(there);
        } else {
            high = middle;
        }
    }
    return best;
}

BudgetPlan allocateGreedy(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, const std::vector<PredictedLoss>& losses) {
    const NamePattern weakLayers(recipe.weakLayers);
    BudgetPlan result = plan;
    std::map<std::string, const PredictedLoss*> known;
    for (const PredictedLoss& p : losses) known[p.name] = &p;
    std::vector<Candidate> candidates;
    double limit = 0;
    for (LinearBudget& b : result.linears) {
        const LinearInfo* l = model.find(b.name);
        const auto loss = known.find(b.name);
        if (!l || !isOpen(b) || loss == known.end()) continue;
        Candidate c{&b, {}};
        const bool mayBeWeak = recipe.method == Method::owq && weakLayers.matches(l->name, l->kind);
        for (const auto& [bits, columns] : loss->second->columns)
            c.widths.push_back(widthOf(*l, bits, columns, mayBeWeak, recipe.groupSize));
        if (c.widths.empty()) continue;
        limit += double(storedBytes(*l, b, recipe.groupSize));
        candidates.push_back(std::move(c));
    }
    // The price of a byte: at none everything is bought, at the highest nothing that can be left out.
    double low = -200, high = 200, bytes = 0;
    std::vector<Choice> choices = choose(candidates, std::exp2(high), bytes);
    if (candidates.empty() || bytes > limit) return plan;
    double spent = bytes;
    for (int i = 0; i < 64; ++i) {
        const double middle = (low + high) / 2;
        std::vector<Choice> there = choose(candidates, std::exp2(middle), bytes);
        if (bytes > limit) {
            low = middle;
        } else {
            high = middle;
            choices = std::move(there);
            spent = bytes;
        }
    }
    spendRest(candidates, choices, limit - spent);
    for (size_t i = 0; i < candidates.size(); ++i) {
        candidates[i].budget->bits = candidates[i].at(choices[i]).bits;
        candidates[i].budget->weakColumns = 2 * int64_t(choices[i].pairs);
    }
    return result;
}

}  // namespace owq
