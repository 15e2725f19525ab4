// SPDX-License-Identifier: Apache-2.0
#include "core/budget/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace owq {
namespace {

using testing::HasSubstr;

std::string refusal(const Recipe& recipe) {
    try {
        checkRecipe(recipe);
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

TEST(Recipe, SurvivesTheRoundTrip) {
    Recipe r;
    r.method = Method::owq;
    r.bits = 4;
    r.targetBits = 4.05;
    r.metric = WeakMetric::weightError;
    r.actOrder = true;
    r.layers = "q_proj,fc*";
    r.seed = 7;
    r.preset = "best";
    r.storedScales = true;
    r.refinePasses = 4;
    r.inputCorrection = 0.5;
    EXPECT_EQ(toJson(recipeFromJson(toJson(r), "test")), toJson(r));
}

TEST(Recipe, MissingFieldsAreThePresets) {
    const Recipe best = recipeFromJson(parseJson(R"({"preset": "best", "refine": 3})", "t"), "t");
    EXPECT_EQ(best.refinePasses, 3);
    EXPECT_TRUE(best.storedScales);
    EXPECT_LT(best.damping, Recipe{}.damping);
    EXPECT_GT(best.inputCorrection, 0);
    EXPECT_EQ(best.allocation, "greedy");
    EXPECT_EQ(recipeFromJson(parseJson(R"({"preset": "best", "weak_columns": 4})", "t"), "t").allocation, "paper") << "numbers are given";
    EXPECT_EQ(toJson(recipeFromJson(parseJson("{}", "t"), "t")), toJson(Recipe{}));
    EXPECT_EQ(recipeFromJson(parseJson(R"({"preset": "best", "method": "rtn"})", "t"), "t").refinePasses, 0);
}

TEST(Recipe, GridFollowsTheMethod) {
    Recipe r;
    EXPECT_TRUE(usesGridSearch(r));
    r.method = Method::optq;
    EXPECT_FALSE(usesGridSearch(r));
    r.grid = "search";
    EXPECT_TRUE(usesGridSearch(r));
    r.grid = "either";
    EXPECT_TRUE(usesGridSearch(r));
    EXPECT_EQ(recipeFromJson(toJson(r), "t").grid, "either");
    r.method = Method::rtn;
    EXPECT_THROW(checkRecipe(r), Error);
}

TEST(Recipe, ContradictionsAreNamed) {
    Recipe r;
    EXPECT_EQ(refusal(r), "accepted");
    r.bits = 5;
    EXPECT_THAT(refusal(r), HasSubstr("bits must be 2, 3, 4 or 8"));
    r = {};
    r.targetBits = 2.5;
    EXPECT_THAT(refusal(r), HasSubstr("cannot be reached"));
    r = {};
    r.method = Method::optq;
    r.targetBits = 3.05;
    EXPECT_THAT(refusal(r), HasSubstr("belong to the method owq"));
    r = {};
    r.damping = -1;
    EXPECT_THAT(refusal(r), HasSubstr("damping"));
    r = {};
    r.preset = "finest";
    EXPECT_THAT(refusal(r), HasSubstr("not known"));
    r = {};
    r.refinePasses = -1;
    EXPECT_THAT(refusal(r), HasSubstr("passes"));
    r = {};
    r.inputCorrection = 1.5;
    EXPECT_THAT(refusal(r), HasSubstr("between 0 and 1"));
    r = {};
    r.allocation = "fair";
    EXPECT_THAT(refusal(r), HasSubstr("\"paper\" or \"greedy\""));
    r.allocation = "greedy";
    EXPECT_EQ(refusal(r), "accepted");
    r.weakColumns = 4;
    EXPECT_THAT(refusal(r), HasSubstr("exclude each other"));
    r.weakColumns = -1;
    r.method = Method::rtn;
    EXPECT_THAT(refusal(r), HasSubstr("plain rounding"));
    r = {};
    r.method = Method::rtn;
    r.refinePasses = 1;
    EXPECT_THAT(refusal(r), HasSubstr("plain rounding"));
    EXPECT_THROW(recipeFromJson(parseJson(R"({"bits": "three"})", "t"), "t"), Error);
}

}  // namespace
}  // namespace owq
