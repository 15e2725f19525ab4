// SPDX-License-Identifier: Apache-2.0
// Bits and weak columns spent where they help most: what the paper names as future work.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/budget/budget.h"

namespace owq {

/// What rounding a linear to its candidate widths is expected to do to its output, from one look at the unquantized model.
struct PredictedError {
    std::string name;
    double output = 0;                       ///< Σ_j H_jj ‖W_:,j‖²
    std::map<int, std::vector<float>> loss;  ///< by bits: H_jj ‖ΔW_:,j‖² of every column (paper Eq. 6), in any order
};

/// Widths that allocation may give to a linear of a recipe: its own, the next smaller and the next larger.
std::vector<int> candidateWidths(int bits);

/// The plan with the least sum of relative output errors, Σ_linears (Σ_{j not weak} loss_j) / output, that takes no more stored bytes than
/// `plan`. The optimum for a price per byte is found exactly, linear by linear, the price by bisection; what is left buys single pairs
/// of weak columns. Linears that are locked, kept at 16 bits or have no prediction stay as they are; the recipe's pattern says
/// which may have weak columns.
BudgetPlan allocateGreedy(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, const std::vector<PredictedError>& errors);

}  // namespace owq
