// SPDX-License-Identifier: Apache-2.0
#include "app/workbench/budget_draft.h"

#include <gtest/gtest.h>

#include <numeric>

#include "app/workbench/translate.h"
#include "tests/app/workbench/fake_jobs.h"

namespace owq {
namespace {

struct BudgetDraftTest : testing::Test {
    BudgetDraftTest() {
        draft.open(model, choice());
        first = model->linears[0].name;
        down = model->linears[6].name;
    }
    static BudgetChoice choice(double target = 3.2) { return {Method::owq, 3, target, 0}; }
    const LinearBudget& of(const std::string& name) const { return *draft.state().plan.find(name); }
    /// Sensitivities 1, 2, …, n in a scrambled order.
    static std::vector<float> ramp(int64_t n) {
        std::vector<float> s(static_cast<size_t>(n));
        for (int64_t j = 0; j < n; ++j) s[size_t(j * 7 % n)] = float(j + 1);
        return s;
    }

    FakeWorld world;
    std::shared_ptr<const ModelInfo> model = std::make_shared<const ModelInfo>(world.model());
    BudgetDraft draft;
    std::string first, down;
};

TEST_F(BudgetDraftTest, BeginsWithThePlanOfTheSettings) {
    const BudgetPlan paper = planBudget(*model, choice().recipe());
    for (const LinearBudget& b : paper.linears) EXPECT_EQ(of(b.name).weakColumns, b.weakColumns);
    EXPECT_FALSE(draft.state().edited);
    EXPECT_DOUBLE_EQ(draft.totals().bits.paper, effectiveBits(*model, paper).paper);
    EXPECT_EQ(draft.totals().fileBytes, plannedFileBytes(*model, paper));
    EXPECT_FALSE(draft.totals().predictedError) << "nothing was measured";
}

TEST_F(BudgetDraftTest, WhatIsSetByHandIsLockedAndClamped) {
    draft.set(draft.withWeakColumns({first}, 1000000));
    EXPECT_EQ(of(first).weakColumns, 255) << "a linear needs a column to quantize";
    EXPECT_TRUE(of(first).locked);
    EXPECT_TRUE(draft.state().edited);
    draft.set(draft.withBits({first}, 16));
    EXPECT_EQ(of(first).weakColumns, 0);
    draft.set(draft.withWeakColumns({first}, 8));
    EXPECT_EQ(of(first).weakColumns, 0) << "what is kept has none";
    EXPECT_DOUBLE_EQ(draft.storedBits(*model->find(first), of(first)), 16);
}

TEST_F(BudgetDraftTest, AllocateSpendsTheRestAroundLockedLinears) {
    const uint64_t limit = draft.totals().fileBytes;
    const int64_t before = of(down).weakColumns;
    draft.set(draft.withWeakColumns({first}, 0));
    draft.set(draft.allocatedByPaper());
    EXPECT_EQ(of(first).weakColumns, 0);
    EXPECT_GE(of(down).weakColumns, before);
    EXPECT_LE(draft.totals().fileBytes, limit);
    draft.set(draft.withLocked({first}, false));
    draft.set(draft.allocatedByPaper());
    EXPECT_FALSE(draft.state().edited) << "nothing is locked any more: the settings' own plan";
    EXPECT_EQ(draft.totals().fileBytes, limit);
}

TEST_F(BudgetDraftTest, OtherMethodsHaveNoWeakColumns) {
    draft.set(draft.withWeakColumns({first}, 8));
    BudgetChoice rtn = choice();
    rtn.method = Method::rtn;
    draft.set(draft.withChoice(rtn));
    for (const LinearBudget& b : draft.state().plan.linears) EXPECT_EQ(b.weakColumns, 0) << b.name;
    EXPECT_EQ(draft.withWeakColumns({first}, 8).plan.linears[0].weakColumns, 0);
}

TEST_F(BudgetDraftTest, PredictedErrorIsHalfOfWhatIsNotWeak) {
    draft.learn(first, 3, ramp(256));
    LinearBudget b{first, 3, 0};
    EXPECT_DOUBLE_EQ(*draft.predictedError(b), 256.0 * 257 / 4);
    b.weakColumns = 6;
    EXPECT_DOUBLE_EQ(*draft.predictedError(b), 250.0 * 251 / 4) << "the six largest are gone";
    b.bits = 4;
    EXPECT_DOUBLE_EQ(*draft.predictedError(b), 250.0 * 251 / 4 * (49.0 / 225)) << "steps of 1/15 instead of 1/7";
    b.bits = 16;
    EXPECT_DOUBLE_EQ(*draft.predictedError(b), 0);
    EXPECT_FALSE(draft.predictedError({down, 3, 0}));
    draft.learn(first, 3, ramp(12));
    b.bits = 3;
    EXPECT_DOUBLE_EQ(*draft.predictedError(b), 250.0 * 251 / 4) << "of another length: not taken";
}

TEST_F(BudgetDraftTest, AllocationByTheAnalysisLowersThePredictedErrorInNoMoreBytes) {
    for (const LinearInfo& l : model->linears) {
        std::vector<float> s = ramp(l.columns);
        if (l.name == first) for (float& v : s) v *= 1000;
        draft.learn(l.name, 3, s);
    }
    ASSERT_TRUE(draft.knowsAll());
    const auto before = draft.totals();
    draft.set(draft.allocatedByAnalysis());
    const auto after = draft.totals();
    EXPECT_LE(after.fileBytes, before.fileBytes);
    EXPECT_LT(*after.predictedError, *before.predictedError);
    EXPECT_GT(of(first).weakColumns, of(down).weakColumns);
    EXPECT_TRUE(draft.state().edited);
}

TEST_F(BudgetDraftTest, GoesThroughTheFileOfTheCommandLine) {
    draft.set(draft.withWeakColumns({first}, 10));
    draft.set(draft.withBits({down}, 16));
    const BudgetPlan read = budgetFromJson(toJson(draft.state().plan), *model, "file");
    for (size_t i = 0; i < read.linears.size(); ++i) {
        EXPECT_EQ(read.linears[i].bits, draft.state().plan.linears[i].bits);
        EXPECT_EQ(read.linears[i].weakColumns, draft.state().plan.linears[i].weakColumns);
        EXPECT_EQ(read.linears[i].locked, draft.state().plan.linears[i].locked);
    }
}

TEST(RecipeOf, TakesThePresetForWhatIsNotChosen) {
    RunSettings s;
    s.preset = QStringLiteral("best");
    const Recipe best = recipeOf(s), preset = presetRecipe("best", Method::owq);
    EXPECT_EQ(best.refinePasses, preset.refinePasses);
    EXPECT_EQ(best.damping, preset.damping);
    EXPECT_EQ(best.allocation, "greedy");
    EXPECT_EQ(recipeOf(s, true).allocation, "paper") << "with a budget given there is nothing to allocate";
    s.refinePasses = 3;
    s.damping = 0.02;
    EXPECT_EQ(recipeOf(s).refinePasses, 3);
    EXPECT_EQ(recipeOf(s).damping, 0.02);
    s.method = QStringLiteral("rtn");
    EXPECT_NO_THROW(checkRecipe(recipeOf(s))) << "plain rounding takes none of it";
}

}  // namespace
}  // namespace owq
