// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/device_memory.h"

#include <algorithm>
#include <map>

namespace owq {
namespace {

constexpr uint64_t kHalf = 2, kFloat = 4, kDouble = 8;
constexpr uint64_t kWorkspaces = uint64_t(512) << 20;  ///< of LibTorch's libraries
constexpr uint64_t kLibraries = uint64_t(1) << 30;     ///< of the machine's memory, as they are used for the first time

/// What one block needs, by phase.
struct BlockNeeds {
    uint64_t weights = 0, largest = 0;  ///< fp32; the largest linear's number of weights
    uint64_t attention = 0, inner = 0;  ///< values per token in either part of the block
    uint64_t squares = 0, largestSquare = 0;
    uint64_t quantizing = 0;

    BlockNeeds(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, int block) {
        std::map<std::string, uint64_t> groups;
        for (const LinearInfo& l : model.linears) {
            if (l.block != block) continue;
            const uint64_t rows = uint64_t(l.rows), columns = uint64_t(l.columns), w = rows * columns;
            weights += w * kFloat;
            largest = std::max(largest, w);
            // Positions are applied to copies, shared heads are repeated: three times what the products give.
            if (l.kind == "q" || l.kind == "k" || l.kind == "v" || l.kind == "qkv") attention += 3 * rows;
            if (l.kind == "gate" || l.kind == "up" || l.kind == "gate_up") inner += 2 * rows;
            const LinearBudget* b = plan.find(l.name);
            if (!b || b->bits >= 16) continue;
            groups[l.inputGroup] = columns;
            const uint64_t square = columns * columns;
            const bool loop = recipe.method != Method::rtn;
            const uint64_t factor = loop ? square * 3 * kDouble : 0;
            const uint64_t ranking = std::min<uint64_t>(w, uint64_t(1) << 25) * (2 * kFloat + 1 + 2 * kDouble);
            uint64_t inLoop = w * (kFloat + 1) + (loop ? square * kFloat : 0);
            if (loop && recipe.grid == "either") inLoop += w * (kFloat + 1);
            if (loop && (recipe.refinePasses || recipe.grid == "either")) inLoop += w * kFloat + square * kFloat + std::min<uint64_t>(rows, 16384) * columns * kFloat * 6;
            const uint64_t handingOver = w * (1 + 2 * kFloat);
            const uint64_t aimed = recipe.inputCorrection > 0 ? w * kFloat * 2 : 0;
            quantizing = std::max(quantizing, aimed + std::max({factor, ranking, inLoop, handingOver}));
        }
        for (const auto& [group, columns] : groups) {
            squares += columns * columns * kFloat;
            largestSquare = std::max(largestSquare, columns * columns);
        }
    }
};

/// Phases that come to something.
void keep(std::vector<MemoryPhase> phases, uint64_t base, MemoryForecast& forecast) {
    for (MemoryPhase& p : phases)
        if (p.bytes) forecast.phases.push_back({std::move(p.name), base + p.bytes});
}

}  // namespace

MemoryForecast forecastDeviceMemory(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, int64_t windows,
                                    int64_t length, int64_t tokensPerPass) {
    MemoryForecast forecast;
    forecast.activations = activationBytes(model, recipe, windows, length);
    const bool both = correctsInputs(recipe);
    std::vector<MemoryPhase> phases{{"loading a block", 0}, {"collecting Hessians", 0}, {"quantizing", 0}, {"passing on", 0}};
    for (int b = 0; b < model.blocks; ++b) {
        const BlockNeeds block(model, recipe, plan, b);
        // This block, the next one that is being read, and the original's weights where they are still needed.
        const uint64_t held = block.weights * (both ? 3 : 2) + block.largest * (kHalf + kFloat);
        const uint64_t tokens = windows ? std::max<uint64_t>(uint64_t(length), uint64_t(std::min(windows * length, tokensPerPass))) : 0;
        const uint64_t hidden = uint64_t(model.hidden);
        const uint64_t pass = tokens * kFloat * (6 * hidden + std::max(block.attention, block.inner)) * (both ? 2 : 1);
        const uint64_t sums = block.squares * (both ? 2 : 1), solving = both ? 5 * block.largestSquare * kDouble : 0;
        const uint64_t each[] = {held, windows ? held + std::max(pass + sums, sums + solving) : 0, held + (windows ? sums : 0) + block.quantizing,
                                 windows && b + 1 < model.blocks ? held + pass : 0};
        for (size_t i = 0; i < phases.size(); ++i) phases[i].bytes = std::max(phases[i].bytes, each[i]);
    }
    keep(std::move(phases), kWorkspaces + forecast.activations, forecast);
    return forecast;
}

MemoryForecast forecastHostMemory(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, int64_t windows, int64_t length,
                                  uint64_t resident, bool activationsApart) {
    MemoryForecast forecast;
    forecast.activations = activationsApart ? activationBytes(model, recipe, windows, length) : 0;
    uint64_t largest = 0;
    for (int b = 0; b < model.blocks; ++b) largest = std::max(largest, BlockNeeds(model, recipe, plan, b).largest);
    // The linear that is read, as it is stored, and the codes of the one that is put away, twice while they are ordered.
    keep({{"loading a block", largest * kFloat}, {"quantizing", largest * (kFloat + 3)}}, resident + kLibraries + forecast.activations, forecast);
    return forecast;
}

}  // namespace owq
