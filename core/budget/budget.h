// SPDX-License-Identifier: Apache-2.0
// How many bits and weak columns each linear gets, and what that amounts to.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/budget/recipe.h"
#include "core/model/model_info.h"
#include "core/pack/packed_linear.h"

namespace owq {

struct LinearBudget {
    std::string name;
    int bits = 3;             ///< 16: kept as it is
    int64_t weakColumns = 0;
    bool locked = false;      ///< set by hand; allocation leaves it alone
};

/// One entry per linear of the model, in its order.
struct BudgetPlan {
    std::vector<LinearBudget> linears;
    const LinearBudget* find(const std::string& name) const;
};

struct EffectiveBits {
    double paper = 0;   ///< weights and weak columns only, storage-favoured (Appendix B.2)
    double stored = 0;  ///< every bit of the packed linears: codes, weak columns, indices, scales, zeros
};

/// Number of weak columns of one linear for a target (Appendix D.2): round-half-even of columns * r * ratio, made even, where
/// r = 12/(16-bits) * (target-bits) / linearsPerBlock. Never more than the columns.
int64_t paperWeakColumns(int64_t columns, int bits, double targetBits, int linearsPerBlock, double ratio);

/// The plan of the recipe for this model: paper's rule, fixed number, or none. Throws Error when a pattern selects nothing.
BudgetPlan planBudget(const ModelInfo& model, const Recipe& recipe);
/// bits + 0.01 where the recipe leaves it open (owq), else bits.
double targetBits(const Recipe& recipe);
/// The smallest target, in steps of 0.01, at which at least one linear gets weak columns; 0 when none does below bits + 1.
double smallestUsefulTarget(const ModelInfo& model, const Recipe& recipe);

/// Of packed linears that take `bytes` together.
EffectiveBits effectiveBits(const std::vector<LinearShape>& packed, uint64_t bytes);
/// Over the quantized linears (bits < 16); all zero when there is none.
EffectiveBits effectiveBits(const ModelInfo& model, const BudgetPlan& plan, int64_t groupSize = 0);
/// Bytes of one linear in the owq folder, latency-favoured layout.
uint64_t storedBytes(const LinearInfo& linear, const LinearBudget& budget, int64_t groupSize);
/// Bytes of the packed linears, and of a model file that holds them and every other tensor.
uint64_t plannedPackedBytes(const ModelInfo& model, const BudgetPlan& plan, int64_t groupSize = 0);
uint64_t plannedFileBytes(const ModelInfo& model, const BudgetPlan& plan, int64_t groupSize = 0);

Json toJson(const BudgetPlan& plan);
/// Every linear of the model must be named, none twice. Error with the entry's name otherwise.
BudgetPlan budgetFromJson(const Json& value, const ModelInfo& model, const std::string& where);

}  // namespace owq
