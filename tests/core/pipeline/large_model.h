// SPDX-License-Identifier: Apache-2.0
// Shapes without weights, for forecasts.
#pragma once
#include <string>
#include <tuple>
#include <vector>

#include "core/budget/budget.h"

namespace owq::testing {

/// LLaMA-2-7B's shapes.
inline ModelInfo large(int blocks = 32) {
    ModelInfo info;
    info.hidden = 4096;
    info.vocabulary = 32000;
    info.blocks = blocks;
    for (int b = 0; b < info.blocks; ++b)
        for (const auto& [kind, group, rows, columns] : std::vector<std::tuple<std::string, std::string, int64_t, int64_t>>{
                 {"q", "qkv", 4096, 4096}, {"k", "qkv", 4096, 4096}, {"v", "qkv", 4096, 4096}, {"o", "o", 4096, 4096},
                 {"gate", "up", 11008, 4096}, {"up", "up", 11008, 4096}, {"down", "down", 4096, 11008}}) {
            LinearInfo l;
            l.name = std::to_string(b) + kind;
            l.kind = kind;
            l.inputGroup = std::to_string(b) + group;
            l.block = b;
            l.rows = rows;
            l.columns = columns;
            info.linears.push_back(l);
        }
    return info;
}

inline BudgetPlan planFor(const ModelInfo& info) {
    BudgetPlan plan;
    for (const LinearInfo& l : info.linears) plan.linears.push_back({l.name, 3, 6, false});
    return plan;
}

}  // namespace owq::testing
