// SPDX-License-Identifier: Apache-2.0
#include "core/budget/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/pack/packed_linear.h"

namespace owq {
namespace {

using testing::HasSubstr;

// A model of the given widths; attention linears are square.
ModelInfo model(bool opt, int64_t hidden, int64_t feedForward, int blocks) {
    ModelInfo m;
    m.family = opt ? "opt" : "llama";
    m.blocks = blocks;
    m.weakRatio = opt ? 0.25 : 0.375;
    for (int b = 0; b < blocks; ++b) {
        auto add = [&](const char* last, const char* kind, int64_t rows, int64_t columns, bool ff) {
            LinearInfo l;
            l.name = (opt ? "model.decoder.layers." : "model.layers.") + std::to_string(b) + "." + last;
            l.block = b;
            l.kind = kind;
            l.rows = rows;
            l.columns = columns;
            l.feedForward = ff;
            m.linears.push_back(l);
            m.bytes += uint64_t(rows * columns * 2);
        };
        add("self_attn.q_proj", "q", hidden, hidden, false);
        add("self_attn.k_proj", "k", hidden, hidden, false);
        add("self_attn.v_proj", "v", hidden, hidden, false);
        add(opt ? "self_attn.out_proj" : "self_attn.o_proj", "o", hidden, hidden, false);
        if (opt) {
            add("fc1", "up", feedForward, hidden, true);
            add("fc2", "down", hidden, feedForward, true);
        } else {
            add("mlp.gate_proj", "gate", feedForward, hidden, true);
            add("mlp.up_proj", "up", feedForward, hidden, true);
            add("mlp.down_proj", "down", hidden, feedForward, true);
        }
    }
    return m;
}

Recipe owq(int bits, double target) {
    Recipe r;
    r.bits = bits;
    r.targetBits = target;
    return r;
}

struct Golden {
    const char* folder;
    const char* run;
    int bits;
    double target;
};
class GoldenBudget : public testing::TestWithParam<Golden> {};

TEST_P(GoldenBudget, NumbersOfWeakColumnsAreTheReferences) {
    const Golden g = GetParam();
    const bool opt = std::string(g.folder) == "opt";
    const ModelInfo m = opt ? model(true, 256, 1024, 6) : model(false, 256, 704, 6);
    const BudgetPlan plan = planBudget(m, owq(g.bits, g.target));
    const Json reference = readJson(std::string(OWQ_TEST_DATA) + "/reference/" + g.folder + "/reference.json");
    const Json& layers = reference["runs"][g.run]["layers"];
    ASSERT_EQ(layers.size(), plan.linears.size());
    for (const LinearBudget& b : plan.linears) EXPECT_EQ(b.weakColumns, layers[b.name]["n_out"].get<int64_t>()) << b.name;
    if (reference["runs"][g.run].contains("weight_bits_average")) {
        EXPECT_NEAR(effectiveBits(m, plan).paper, reference["runs"][g.run]["weight_bits_average"].get<double>(), 1e-9);
    }
}
INSTANTIATE_TEST_SUITE_P(Reference, GoldenBudget,
                         testing::Values(Golden{"opt", "owq3.01", 3, 3.01}, Golden{"opt", "owq3.05", 3, 3.05},
                                         Golden{"opt", "owq4.05", 4, 4.05}, Golden{"llama", "owq3.01", 3, 3.01},
                                         Golden{"llama", "owq3.05", 3, 3.05}, Golden{"llama", "owq4.05", 4, 4.05}));

TEST(Budget, PublishedShapes) {
    // LLaMA-7B at 3.01: 6 columns in attention and down, 2 in gate and up; 3.0107 bits.
    const ModelInfo llama = model(false, 4096, 11008, 2);
    const BudgetPlan plan = planBudget(llama, owq(3, 3.01));
    EXPECT_EQ(plan.linears[0].weakColumns, 6);
    EXPECT_EQ(plan.linears[4].weakColumns, 2);
    EXPECT_EQ(plan.linears[6].weakColumns, 6);
    EXPECT_NEAR(effectiveBits(llama, plan).paper, 3.0107, 5e-5);
    // OPT-125m at 3.01: fc1 gets none.
    const BudgetPlan small = planBudget(model(true, 768, 3072, 1), owq(3, 3.01));
    EXPECT_EQ(small.linears[0].weakColumns, 2);
    EXPECT_EQ(small.linears[4].weakColumns, 0);
}

TEST(Budget, StoredBitsCountEveryByteOfThePackedLinears) {
    const ModelInfo m = model(false, 256, 704, 1);
    const BudgetPlan plan = planBudget(m, owq(3, 3.05));
    double bits = 0, weights = 0;
    for (const LinearBudget& b : plan.linears) {
        const LinearInfo& l = *m.find(b.name);
        bits += 8.0 * double(packedBytes({l.name, l.rows, l.columns, b.bits, b.weakColumns}));
        weights += double(l.rows * l.columns);
    }
    EXPECT_DOUBLE_EQ(effectiveBits(m, plan).stored, bits / weights);
    EXPECT_GT(effectiveBits(m, plan).stored, effectiveBits(m, plan).paper);
}

TEST(Budget, SmallModelsAreToldTheSmallestTarget) {
    const ModelInfo m = model(true, 256, 1024, 6);
    const double useful = smallestUsefulTarget(m, owq(3, 0));
    EXPECT_GT(useful, 3.01);
    EXPECT_LE(useful, 3.05);
    int64_t at = 0, below = 0;
    for (auto& b : planBudget(m, owq(3, useful)).linears) at += b.weakColumns;
    for (auto& b : planBudget(m, owq(3, useful - 0.01)).linears) below += b.weakColumns;
    EXPECT_GT(at, 0);
    EXPECT_EQ(below, 0);
}

TEST(Budget, PatternsAndFixedNumbers) {
    const ModelInfo m = model(false, 256, 704, 2);
    Recipe r = owq(3, 0);
    r.weakColumns = 8;
    r.weakLayers = "q,k";
    r.layers = "*self_attn*";
    const BudgetPlan plan = planBudget(m, r);
    EXPECT_EQ(plan.linears[0].weakColumns, 8);
    EXPECT_EQ(plan.linears[2].weakColumns, 0);
    EXPECT_EQ(plan.linears[4].bits, 16);
    r.layers = "nothing";
    EXPECT_THROW(planBudget(m, r), Error);
    r.layers = "*self_attn*";
    r.weakLayers = "down";  // of the linears that are left at 16 bits
    EXPECT_THROW(planBudget(m, r), Error);
}

TEST(Budget, JsonIsCheckedAgainstTheModel) {
    const ModelInfo m = model(false, 256, 704, 1);
    const BudgetPlan plan = planBudget(m, owq(3, 3.05));
    const Json good = toJson(plan);
    EXPECT_EQ(toJson(budgetFromJson(good, m, "b")), good);
    auto refusal = [&](auto change) -> std::string {
        Json bad = good;
        change(bad);
        try {
            budgetFromJson(bad, m, "budget.json");
        } catch (const Error& e) {
            return e.what();
        }
        return "accepted";
    };
    EXPECT_THAT(refusal([](Json& j) { j["linears"].erase(0); }), HasSubstr("is missing"));
    EXPECT_THAT(refusal([](Json& j) { j["linears"].push_back(j["linears"][0]); }), HasSubstr("appears twice"));
    EXPECT_THAT(refusal([](Json& j) { j["linears"][0]["bits"] = 5; }), HasSubstr("bits must be"));
    EXPECT_THAT(refusal([](Json& j) { j["linears"][0]["weak_columns"] = 257; }), HasSubstr("between 0 and 255"));
    EXPECT_THAT(refusal([](Json& j) { j["linears"][0]["name"] = "x"; }), HasSubstr("no linear \"x\""));
    Json kept = good;
    kept["linears"][0]["bits"] = 16;
    EXPECT_GT(kept["linears"][0]["weak_columns"], 0);
    EXPECT_EQ(budgetFromJson(kept, m, "b").linears[0].weakColumns, 0) << "an edited plan";
    EXPECT_THAT(refusal([](Json& j) { j["linears"][0]["lock"] = true; }), HasSubstr("unknown entry \"lock\""));
    EXPECT_THAT(refusal([](Json& j) { j["linears"][0]["locked"] = 1; }), HasSubstr("locked"));
}

TEST(Budget, MixedWidthsAndLocksSurviveTheRoundTrip) {
    const ModelInfo m = model(true, 256, 1024, 1);
    BudgetPlan plan = planBudget(m, owq(3, 3.05));
    const int bits[] = {2, 3, 4, 8, 16, 3};
    for (size_t i = 0; i < 6; ++i) {
        plan.linears[i].bits = bits[i];
        plan.linears[i].weakColumns = bits[i] == 16 ? 0 : int64_t(i);
        plan.linears[i].locked = i % 2;
    }
    const BudgetPlan back = budgetFromJson(parseJson(toJson(plan).dump(), "b"), m, "b");
    ASSERT_EQ(back.linears.size(), 6u);
    for (size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(back.linears[i].name, m.linears[i].name);
        EXPECT_EQ(back.linears[i].bits, bits[i]);
        EXPECT_EQ(back.linears[i].weakColumns, plan.linears[i].weakColumns);
        EXPECT_EQ(back.linears[i].locked, i % 2);
    }
    // Order is the model's, whatever the file's is.
    Json shuffled = toJson(plan);
    std::swap(shuffled["linears"][0], shuffled["linears"][5]);
    EXPECT_EQ(toJson(budgetFromJson(shuffled, m, "b")), toJson(plan));
    // 16-bit linears are no part of the effective bits.
    double packed = 0, weights = 0;
    for (size_t i = 0; i < 6; ++i)
        if (bits[i] < 16) {
            const LinearInfo& l = m.linears[i];
            packed += double(packedBytes({l.name, l.rows, l.columns, bits[i], plan.linears[i].weakColumns}));
            weights += double(l.rows * l.columns);
        }
    EXPECT_DOUBLE_EQ(effectiveBits(m, plan).stored, 8 * packed / weights);
}

}  // namespace
}  // namespace owq
