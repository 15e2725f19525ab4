// SPDX-License-Identifier: Apache-2.0
#include "core/budget/budget.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/name_pattern.h"

namespace owq {
namespace {

int linearsPerBlock(const ModelInfo& model, const NamePattern& layers, const NamePattern& weakLayers) {
    // Blocks may differ in what the patterns select; the paper's rule knows one number, so the fullest block gives it.
    std::map<int, int> count;
    for (const LinearInfo& l : model.linears)
        if (layers.matches(l.name, l.kind) && weakLayers.matches(l.name, l.kind)) ++count[l.block];
    int most = 0;
    for (auto [block, n] : count) most = std::max(most, n);
    return most;
}

BudgetPlan planFor(const ModelInfo& model, const Recipe& recipe, double target) {
    const NamePattern layers(recipe.layers), weakLayers(recipe.weakLayers);
    const int perBlock = linearsPerBlock(model, layers, weakLayers);
    BudgetPlan plan;
    for (const LinearInfo& l : model.linears) {
        LinearBudget b{l.name, layers.matches(l.name, l.kind) ? recipe.bits : 16};
        if (recipe.method == Method::owq && b.bits < 16 && weakLayers.matches(l.name, l.kind))
            b.weakColumns = recipe.weakColumns >= 0
                                ? std::min(recipe.weakColumns, l.columns)
                                : paperWeakColumns(l.columns, b.bits, target, perBlock, l.feedForward ? model.weakRatio : 1.0);
        plan.linears.push_back(std::move(b));
    }
    return plan;
}

template <class Each>
void forQuantized(const ModelInfo& model, const BudgetPlan& plan, Each each) {
    for (size_t i = 0; i < plan.linears.size(); ++i) {
        const LinearBudget& b = plan.linears[i];
        if (b.bits >= 16) continue;
        // A plan has the model's order: to look for names would take the square of their number.
        const bool inOrder = i < model.linears.size() && model.linears[i].name == b.name;
        if (const LinearInfo* l = inOrder ? &model.linears[i] : model.find(b.name)) each(*l, b);
    }
}

}  // namespace

const LinearBudget* BudgetPlan::find(const std::string& name) const {
    for (const LinearBudget& b : linears)
        if (b.name == name) return &b;
    return nullptr;
}

int64_t paperWeakColumns(int64_t columns, int bits, double targetBits, int linearsPerBlock, double ratio) {
    if (targetBits <= bits || linearsPerBlock == 0) return 0;
    const double r = 12.0 / (16 - bits) * (targetBits - bits) / linearsPerBlock;
    int64_t k = int64_t(std::nearbyint(double(columns) * r * ratio));
    if (k % 2) ++k;  // the authors' kernel reads weak columns in pairs
    return std::clamp<int64_t>(k, 0, columns);
}

double targetBits(const Recipe& recipe) {
    if (recipe.method != Method::owq) return recipe.bits;
    return recipe.targetBits > 0 ? recipe.targetBits : recipe.bits + 0.01;
}

BudgetPlan planBudget(const ModelInfo& model, const Recipe& recipe) {
    checkRecipe(recipe);
    BudgetPlan plan = planFor(model, recipe, targetBits(recipe));
    const bool any = std::any_of(plan.linears.begin(), plan.linears.end(), [](auto& b) { return b.bits < 16; });
    const char* const seeNames = "See the names with owq inspect";
    if (!any) throw Error("the pattern \"" + recipe.layers + "\" selects no linear of this model", "recipe", seeNames);
    if (recipe.method == Method::owq && linearsPerBlock(model, NamePattern(recipe.layers), NamePattern(recipe.weakLayers)) == 0)
        throw Error("the pattern \"" + recipe.weakLayers + "\" gives no linear that is quantized weak columns", "recipe", seeNames);
    return plan;
}

double smallestUsefulTarget(const ModelInfo& model, const Recipe& recipe) {
    for (int step = 1; step <= 100; ++step) {
        const double target = recipe.bits + step * 0.01;
        for (const LinearBudget& b : planFor(model, recipe, target).linears)
            if (b.weakColumns > 0) return target;
    }
    return 0;
}

EffectiveBits effectiveBits(const std::vector<LinearShape>& packed, uint64_t bytes) {
    double weights = 0, paper = 0;
    for (const LinearShape& s : packed) {
        weights += double(s.rows) * double(s.columns);
        paper += double(s.rows) * (16.0 * double(s.weakColumns) + double(s.bits) * double(s.columns - s.weakColumns));
    }
    if (weights == 0) return {};
    return {paper / weights, 8.0 * double(bytes) / weights};
}

EffectiveBits effectiveBits(const ModelInfo& model, const BudgetPlan& plan, int64_t groupSize) {
    std::vector<LinearShape> shapes;
    forQuantized(model, plan, [&](const LinearInfo& l, const LinearBudget& b) {
        shapes.push_back({l.name, l.rows, l.columns, b.bits, b.weakColumns, groupSize});
    });
    return effectiveBits(shapes, plannedPackedBytes(model, plan, groupSize));
}

uint64_t storedBytes(const LinearInfo& l, const LinearBudget& b, int64_t groupSize) {
    const DType type = l.dtype == DType::bf16 || l.dtype == DType::f32 ? l.dtype : DType::f16;
    return packedBytes({l.name, l.rows, l.columns, b.bits, b.weakColumns, groupSize}, type);
}

uint64_t plannedPackedBytes(const ModelInfo& model, const BudgetPlan& plan, int64_t groupSize) {
    uint64_t bytes = 0;
    forQuantized(model, plan, [&](const LinearInfo& l, const LinearBudget& b) { bytes += storedBytes(l, b, groupSize); });
    return bytes;
}

uint64_t plannedFileBytes(const ModelInfo& model, const BudgetPlan& plan, int64_t groupSize) {
    uint64_t dense = 0;
    forQuantized(model, plan, [&](const LinearInfo& l, const LinearBudget&) {
        dense += uint64_t(l.rows) * uint64_t(l.columns) * byteSize(l.dtype);
    });
    return model.bytes - std::min(dense, model.bytes) + plannedPackedBytes(model, plan, groupSize);
}

Json toJson(const BudgetPlan& plan) {
    Json list = Json::array();
    for (const LinearBudget& b : plan.linears) {
        Json entry{{"name", b.name}, {"bits", b.bits}, {"weak_columns", b.weakColumns}};
        if (b.locked) entry["locked"] = true;
        list.push_back(std::move(entry));
    }
    return {{"schema", 1}, {"linears", std::move(list)}};
}

BudgetPlan budgetFromJson(const Json& value, const ModelInfo& model, const std::string& where) {
    if (required<int64_t>(value, "schema", where) != 1) throw Error("has a schema that this version does not know", where, "Write the budget with owq quantize --dry-run");
    if (!value.contains("linears") || !value["linears"].is_array()) throw Error("\"linears\" is not a list", where, "Write the budget with owq quantize --dry-run");
    std::map<std::string, LinearBudget> given;
    for (const Json& entry : value["linears"]) {
        LinearBudget b;
        b.name = required<std::string>(entry, "name", where);
        // A misspelt "weak_columns" would quietly mean none.
        for (const auto& [key, ignored] : entry.items())
            if (key != "name" && key != "bits" && key != "weak_columns" && key != "locked")
                throw Error(b.name + ": unknown entry \"" + key.substr(0, 80) + "\"", where, "Known ones: name, bits, weak_columns, locked");
        const LinearInfo* l = model.find(b.name);
        if (!l) throw Error("the model has no linear \"" + b.name.substr(0, 200) + "\"", where, "See the names with owq inspect");
        const int64_t bits = required<int64_t>(entry, "bits", where);
        if (bits != 2 && bits != 3 && bits != 4 && bits != 8 && bits != 16)
            throw Error(b.name + ": bits must be 2, 3, 4, 8 or 16, not " + std::to_string(bits), where, "16 keeps the linear as it is");
        b.bits = int(bits);
        b.weakColumns = optional<int64_t>(entry, "weak_columns", 0, where);
        const int64_t most = l->columns - 1;  // a linear needs a column to quantize
        if (b.weakColumns < 0 || b.weakColumns > most)
            throw Error(b.name + ": weak_columns must lie between 0 and " + std::to_string(most) + ", not " + std::to_string(b.weakColumns),
                        where, "Lower the number, or keep the linear with 16 bits");
        if (b.bits == 16) b.weakColumns = 0;  // kept as it is, whatever an edited plan still says
        b.locked = optional<bool>(entry, "locked", false, where);
        if (!given.emplace(b.name, b).second) throw Error("\"" + b.name + "\" appears twice", where, "Name every linear once");
    }
    BudgetPlan plan;
    for (const LinearInfo& l : model.linears) {
        const auto it = given.find(l.name);
        if (it == given.end()) throw Error("\"" + l.name + "\" is missing", where, "Name every linear; bits 16 keeps one as it is");
        plan.linears.push_back(it->second);
    }
    return plan;
}

}  // namespace owq
