// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/linear_recipe.h"

namespace owq {

LinearRecipe linearRecipe(const Recipe& recipe, const LinearBudget& budget, DType type) {
    LinearRecipe r;
    r.method = recipe.method;
    r.bits = budget.bits;
    r.weakColumns = budget.weakColumns;
    r.searchGrid = usesGridSearch(recipe);
    r.eitherGrid = recipe.grid == "either";
    r.symmetric = recipe.symmetric;
    r.groupSize = recipe.groupSize;
    r.actOrder = recipe.actOrder;
    r.damping = recipe.damping;
    r.metric = recipe.metric;
    r.storedType = type;
    r.scaleType = recipe.storedScales ? type : DType::f32;
    r.refinePasses = recipe.refinePasses;
    return r;
}

Error inLinear(const std::string& name, const Error& error) {
    return Error(error.happened(), name + (error.where().empty() ? "" : ", " + error.where()), error.remedy());
}

}  // namespace owq
