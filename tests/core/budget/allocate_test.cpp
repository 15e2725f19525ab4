// SPDX-License-Identifier: Apache-2.0
#include "core/budget/allocate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace owq {
namespace {

/// Linears of 64 x 64; some have a few columns that rounding hurts far more than the rest.
struct Allocation : testing::Test {
    Allocation() {
        std::mt19937 random(1);
        std::uniform_real_distribution<float> uniform(0.5f, 1.5f);
        for (int i = 0; i < 6; ++i) {
            LinearInfo l;
            l.name = "block." + std::to_string(i);
            l.kind = i % 2 ? "up" : "q";
            l.block = i;
            l.rows = l.columns = 64;
            model.linears.push_back(l);
            model.bytes += 64 * 64 * 2;
            PredictedLoss e{l.name, {}};
            for (int bits : {2, 3, 4}) {
                std::vector<float>& loss = e.columns[bits];
                for (int c = 0; c < 64; ++c) loss.push_back(float(std::exp2(-2 * bits)) * (c < i ? 60 : 1) * (i == 0 ? 0.01f : 1) * uniform(random));
            }
            losses.push_back(std::move(e));
        }
        recipe.targetBits = 3.2;
        recipe.allocation = "greedy";
        model.blocks = 6;
    }

    double predicted(const BudgetPlan& plan) const {
        double sum = 0;
        for (size_t i = 0; i < plan.linears.size(); ++i) {
            std::vector<float> loss = losses[i].columns.at(plan.linears[i].bits);
            std::sort(loss.rbegin(), loss.rend());
            sum += std::accumulate(loss.begin() + plan.linears[i].weakColumns, loss.end(), 0.0);
        }
        return sum;
    }

    ModelInfo model;
    Recipe recipe;
    std::vector<PredictedLoss> losses;
};

TEST_F(Allocation, NeighbouringWidthsAreCandidates) {
    EXPECT_EQ(candidateWidths(2), (std::vector<int>{2, 3}));
    EXPECT_EQ(candidateWidths(3), (std::vector<int>{2, 3, 4}));
    EXPECT_EQ(candidateWidths(4), (std::vector<int>{3, 4, 8}));
    EXPECT_EQ(candidateWidths(8), (std::vector<int>{4, 8}));
}

TEST_F(Allocation, LessErrorInNoMoreBytes) {
    const BudgetPlan paper = planBudget(model, recipe), greedy = allocateGreedy(model, recipe, paper, losses);
    EXPECT_LE(plannedPackedBytes(model, greedy), plannedPackedBytes(model, paper));
    EXPECT_GT(plannedPackedBytes(model, greedy), plannedPackedBytes(model, paper) * 0.97) << "what may be spent is spent";
    EXPECT_LT(predicted(greedy), 0.8 * predicted(paper));
    for (size_t i = 1; i < 6; ++i) EXPECT_LT(greedy.linears[0].bits, greedy.linears[i].bits) << "rounding the first hurts a hundred times less";
    EXPECT_EQ(greedy.linears[0].weakColumns, 0);
    EXPECT_GE(greedy.linears[5].weakColumns, 4) << "it has five columns that hurt";
    for (const LinearBudget& b : greedy.linears) EXPECT_EQ(b.weakColumns % 2, 0);
}

// For the price of a byte at which it stops, no linear alone could do better: a random other plan of the same bytes is no better either.
TEST_F(Allocation, NoRandomPlanOfTheSameBytesIsBetter) {
    const BudgetPlan paper = planBudget(model, recipe);
    const BudgetPlan greedy = allocateGreedy(model, recipe, paper, losses);
    const double best = predicted(greedy);
    std::mt19937 random(2);
    int fitting = 0;
    for (int i = 0; i < 20000; ++i) {
        BudgetPlan other = greedy;
        for (int changes = 0; changes < 2; ++changes) {
            LinearBudget& b = other.linears[random() % 6];
            b.bits = 2 + int(random() % 3);
            b.weakColumns = 2 * int64_t(random() % 6);
        }
        if (plannedPackedBytes(model, other) > plannedPackedBytes(model, greedy)) continue;
        ++fitting;
        EXPECT_GE(predicted(other), best * (1 - 1e-6));
    }
    EXPECT_GT(fitting, 1000);
}

TEST_F(Allocation, LockedKeptAndUnknownLinearsStay) {
    BudgetPlan plan = planBudget(model, recipe);
    plan.linears[0].locked = true;
    plan.linears[0].bits = 4;
    plan.linears[1].bits = 16;
    plan.linears[1].weakColumns = 0;
    losses.pop_back();
    const BudgetPlan greedy = allocateGreedy(model, recipe, plan, losses);
    EXPECT_EQ(greedy.linears[0].bits, 4);
    EXPECT_EQ(greedy.linears[0].weakColumns, plan.linears[0].weakColumns);
    EXPECT_EQ(greedy.linears[1].bits, 16);
    EXPECT_EQ(greedy.linears[5].weakColumns, plan.linears[5].weakColumns);
    EXPECT_LE(plannedPackedBytes(model, greedy), plannedPackedBytes(model, plan));
}

TEST_F(Allocation, PatternAndMethodDecideWhoMayBeWeak) {
    recipe.weakLayers = "q";
    const BudgetPlan greedy = allocateGreedy(model, recipe, planBudget(model, recipe), losses);
    for (size_t i = 1; i < 6; i += 2) EXPECT_EQ(greedy.linears[i].weakColumns, 0);
    recipe.weakLayers.clear();
    recipe.method = Method::optq;
    recipe.targetBits = 0;
    for (const LinearBudget& b : allocateGreedy(model, recipe, planBudget(model, recipe), losses).linears) EXPECT_EQ(b.weakColumns, 0);
}

TEST_F(Allocation, PaperWithNothingLockedIsTheRecipesPlan) {
    const BudgetPlan paper = planBudget(model, recipe);
    BudgetPlan edited = paper;
    edited.linears[2].weakColumns = 20;
    edited.linears[3].bits = 16;
    const BudgetPlan again = allocateByPaper(model, recipe, edited);
    for (size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(again.linears[i].bits, paper.linears[i].bits);
        EXPECT_EQ(again.linears[i].weakColumns, paper.linears[i].weakColumns);
    }
}

TEST_F(Allocation, PaperSpendsOnTheOthersWhatLockedLinearsLeave) {
    const BudgetPlan paper = planBudget(model, recipe);
    ASSERT_GT(paper.linears[0].weakColumns, 0);
    BudgetPlan edited = paper;
    edited.linears[0].locked = true;
    edited.linears[0].bits = 2;
    edited.linears[0].weakColumns = 0;
    const BudgetPlan more = allocateByPaper(model, recipe, edited);
    EXPECT_EQ(more.linears[0].bits, 2);
    EXPECT_TRUE(more.linears[0].locked);
    EXPECT_GT(more.linears[1].weakColumns, paper.linears[1].weakColumns) << "what the first gave up";
    EXPECT_LE(plannedFileBytes(model, more), plannedFileBytes(model, paper));

    edited.linears[0].bits = 8;
    const BudgetPlan less = allocateByPaper(model, recipe, edited);
    EXPECT_LT(less.linears[1].weakColumns, paper.linears[1].weakColumns);
    EXPECT_LE(plannedFileBytes(model, less), plannedFileBytes(model, paper));

    for (size_t i = 0; i < 3; ++i) edited.linears[i].locked = true, edited.linears[i].bits = 16, edited.linears[i].weakColumns = 0;
    for (size_t i = 3; i < 6; ++i) EXPECT_EQ(allocateByPaper(model, recipe, edited).linears[i].weakColumns, 0) << "nothing is left";
}

TEST_F(Allocation, NothingPredictedChangesNothing) {
    const BudgetPlan paper = planBudget(model, recipe), same = allocateGreedy(model, recipe, paper, {});
    for (size_t i = 0; i < paper.linears.size(); ++i) EXPECT_EQ(same.linears[i].weakColumns, paper.linears[i].weakColumns);
}

}  // namespace
}  // namespace owq
