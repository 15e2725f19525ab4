// SPDX-License-Identifier: Apache-2.0
// Bits and weak columns spent where they help most: what the paper names as future work.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/budget/budget.h"

namespace owq {

/// What rounding a linear to its candidate widths is expected to do to the model's predictions, from one look at the unquantized model.
struct PredictedLoss {
    std::string name;
    std::map<int, std::vector<float>> columns;  ///< by bits: KL(model ‖ model with this column rounded), nats per token, in any order
};

/// Widths that allocation may give to a linear of a recipe: its own, the next smaller and the next larger.
std::vector<int> candidateWidths(int bits);

/// Whether allocation may change it.
inline bool isOpen(const LinearBudget& budget) { return !budget.locked && budget.bits < 16; }
int64_t openCount(const BudgetPlan& plan);

/// The paper's rule for what is left: locked linears stay as they are; all others get the recipe's bits, and the weak columns of the highest
/// target with which the whole takes no more stored bytes than the recipe's own plan. With nothing locked that is the recipe's plan; where
/// the locked ones leave nothing, the others get no weak column.
BudgetPlan allocateByPaper(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan);

/// The plan with the least predicted loss, the sum over all columns that are not weak, that takes no more stored bytes than `plan`. The
/// optimum for a price per byte is found exactly, linear by linear, the price by bisection; what is left buys single pairs of weak
/// columns. Linears that are locked, kept at 16 bits or have no prediction stay as they are; the recipe's pattern says
/// which may have weak columns.
BudgetPlan allocateGreedy(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, const std::vector<PredictedLoss>& losses);

}  // namespace owq
