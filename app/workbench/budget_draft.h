// SPDX-License-Identifier: GPL-3.0-or-later
// The budget that a person works on. Plain: no widget, no event, nothing that waits; the arithmetic is core/budget's.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/budget/allocate.h"

namespace owq {

/// What decides the plan before anything is edited.
struct BudgetChoice {
    Method method = Method::owq;
    int bits = 3;
    double targetBits = 3.01;
    int64_t groupSize = 0;
    bool operator==(const BudgetChoice&) const = default;

    Recipe recipe() const;  ///< with everything else as the paper has it
};

class BudgetDraft {
public:
    /// What undo goes back to.
    struct State {
        BudgetChoice choice;
        BudgetPlan plan;
        bool edited = false;  ///< not the choice's own plan: a run has to be given it
    };
    struct Totals {
        EffectiveBits bits;
        uint64_t fileBytes = 0, planBytes = 0;  ///< planBytes: of the choice's own plan
        std::optional<double> predictedError;   ///< of all linears, when all are known
    };

    void open(std::shared_ptr<const ModelInfo> model, const BudgetChoice& choice);
    bool isOpen() const { return bool(model_); }
    const ModelInfo& model() const { return *model_; }
    const State& state() const { return state_; }
    void set(State state) { state_ = std::move(state); }

    // Edits: each gives a new state and changes nothing. What a person sets is locked, so that allocation leaves it alone.
    State withChoice(const BudgetChoice& choice) const;  ///< locked linears stay, the others follow
    State withBits(const std::vector<std::string>& names, int bits) const;
    State withWeakColumns(const std::vector<std::string>& names, int64_t weakColumns) const;  ///< at most the columns but one
    State withLocked(const std::vector<std::string>& names, bool locked) const;
    State withPlan(BudgetPlan plan) const;  ///< imported, or made by a job; in the model's order
    State allocatedByPaper() const;
    /// Weak columns where they take away most predicted error, at the stored size that the choice's plan has. Needs predictions.
    State allocatedByAnalysis() const;

    /// Sensitivities [columns] of a linear as measured with codes of `bits`.
    void learn(const std::string& name, int bits, const std::vector<float>& sensitivity);
    void forget();
    bool knows(const std::string& name) const;
    bool knowsAll() const;
    /// ½ Σ over the columns that are not weak; scaled with the square of the grid's step for other bits than those measured.
    std::optional<double> predictedError(const LinearBudget& budget) const;
    double storedBits(const LinearInfo& linear, const LinearBudget& budget) const;  ///< per weight, with everything
    Totals totals() const;

private:
    struct Prediction {
        int bits = 3;
        std::vector<float> sorted;  ///< half the sensitivities, largest first
        std::vector<double> left;   ///< [columns + 1]: what remains with so many weak columns
    };
    size_t placeOf(const std::string& name) const;
    template <class Change>
    State changed(const std::vector<std::string>& names, Change change) const;
    BudgetPlan planOf(const BudgetChoice& choice, const BudgetPlan& given) const;

    std::shared_ptr<const ModelInfo> model_;
    State state_;
    std::map<std::string, Prediction> predictions_;
    std::map<std::string, size_t> places_;
};

}  // namespace owq
