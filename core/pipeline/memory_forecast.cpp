// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/memory_forecast.h"

#include <algorithm>
#include <map>

#include "core/calibrate/block_runner.h"
#include "core/pipeline/damage_probe.h"

namespace owq {
namespace {

constexpr uint64_t kFloat = 4, kDouble = 8;
constexpr uint64_t kLibraries = 96 << 20;  ///< what LibTorch and its BLAS take when they first compute, and what the heap keeps

struct Shape {
    uint64_t rows, columns;
    bool quantized;
    std::string group, kind;
    uint64_t weights() const { return rows * columns; }
};

/// One block, as big as any of the model.
class BlockForecast {
public:
    BlockForecast(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, int block)
        : recipe_(recipe), hidden_(uint64_t(model.hidden)), corrections_(corrected() && (block > 0 || recipe.trueSequential)) {
        for (const LinearInfo& l : model.linears) {
            if (l.block != block) continue;
            const LinearBudget* b = plan.find(l.name);
            linears_.push_back({uint64_t(l.rows), uint64_t(l.columns), b && b->bits < 16, l.inputGroup, l.kind});
            if (linears_.back().quantized) groups_[l.inputGroup] = uint64_t(l.columns);
        }
    }

    uint64_t weights() const {
        uint64_t sum = 0;
        for (const Shape& l : linears_) sum += l.weights() * kFloat;
        return sum * (corrected() ? 2 : 1);
    }

    /// The last linear's floats before they are laid out, beside all others.
    uint64_t loading() const { return weights() + largest([](const Shape& l) { return l.weights() * kFloat; }); }

    /// One pass of `tokens` tokens: the tensors that live at once in attention or in the feed-forward part.
    uint64_t pass(uint64_t tokens) const {
        uint64_t attention = hidden_, inner = 0;
        for (const Shape& l : linears_) {
            if (l.kind == "q" || l.kind == "k" || l.kind == "v") attention += l.rows;
            if (l.kind == "qkv") attention += 2 * l.rows;  // and its parts, copied out
            if (l.kind == "o") attention += l.columns;
            if (l.kind == "gate" || l.kind == "up") inner += l.rows;
            if (l.kind == "gate_up") inner += 2 * l.rows;
        }
        // Corrected inputs: those of the original are kept until the quantized model's have come.
        uint64_t kept = 0;
        if (corrections_)
            for (const auto& [group, columns] : groups_) kept += columns;
        return tokens * kFloat * (std::max(attention, 2 * hidden_ + inner) + kept);
    }

    uint64_t sums() const {
        return overGroups([this](uint64_t n) { return sumOf(n) + drift(n); });
    }

    /// Sums become whole matrices one by one, and corrections are solved in double.
    uint64_t finishing() const {
        uint64_t most = 0, done = 0, left = sums();
        for (const auto& [group, n] : groups_) {
            if (recipe_.trueSequential) done = 0, left = sumOf(n) + drift(n);
            done += n * n * kFloat;
            most = std::max(most, done + left + (corrections_ ? 5 * n * n * kDouble : 0));
            left -= sumOf(n);
        }
        return most;
    }

    uint64_t hessians() const {
        return overGroups([this](uint64_t n) { return n * n * kFloat * (corrections_ ? 2 : 1); });
    }

    /// Beside the block and its Hessians.
    uint64_t quantizing() const {
        return largest([this](const Shape& l) -> uint64_t {
            if (!l.quantized) return 0;
            const uint64_t w = l.weights(), n = l.columns, square = n * n;
            const bool loop = recipe_.method != Method::rtn;
            const uint64_t weight = w * kFloat * (corrections_ ? 2 : 1);
            const uint64_t factor = loop ? square * (kDouble + kFloat) + 2 * n * 256 * kDouble : 0;
            const uint64_t codes = w, copy = w * kFloat, block = l.rows * (512 * kFloat + 128);
            uint64_t inLoop = copy + codes + block + (loop ? square * kFloat : 0);
            if (loop && (recipe_.refinePasses || recipe_.grid == "either")) {
                if (recipe_.grid == "either") inLoop += copy + codes;  // the other end of the loop
                const uint64_t slice = std::min<uint64_t>(l.rows, 1024) * n * kFloat;
                inLoop += copy + square * kFloat + 4 * slice;
            }
            const uint64_t collecting = copy + 2 * codes;
            const uint64_t handingOver = codes + 2 * w * kFloat;  // dequantized, laid out anew; the weight is gone by then
            return std::max({weight + factor, weight + inLoop, weight + collecting, handingOver});
        });
    }

private:
    bool corrected() const { return correctsInputs(recipe_); }
    uint64_t drift(uint64_t n) const { return corrections_ ? n * n * kFloat : 0; }

    /// Σ x xᵀ: a triangle, and a slice of x laid out twice.
    static uint64_t sumOf(uint64_t n) { return n * n * kFloat / 2 + n * 2 * 256 * kFloat; }

    /// All groups of a block at once, or one after the other.
    template <class Size>
    uint64_t overGroups(Size size) const {
        uint64_t sum = 0, most = 0;
        for (const auto& [group, n] : groups_) {
            sum += size(n);
            most = std::max(most, size(n));
        }
        return recipe_.trueSequential ? most : sum;
    }

    template <class Size>
    uint64_t largest(Size size) const {
        uint64_t most = 0;
        for (const Shape& l : linears_) most = std::max(most, size(l));
        return most;
    }

    Recipe recipe_;
    uint64_t hidden_;
    bool corrections_;  ///< the models have parted before this block is done
    std::vector<Shape> linears_;
    std::map<std::string, uint64_t> groups_;  ///< columns of the inputs that need a Hessian
};

}  // namespace

bool correctsInputs(const Recipe& recipe) { return recipe.inputCorrection > 0 && recipe.method != Method::rtn; }

uint64_t activationBytes(const ModelInfo& model, const Recipe& recipe, int64_t windows, int64_t length) {
    return uint64_t(windows) * uint64_t(length) * uint64_t(model.hidden) * kFloat * (correctsInputs(recipe) ? 2 : 1);
}

namespace {

/// Of the damage probe: the hidden states of the model and of every changed one.
uint64_t probeBytes(const ModelInfo& model, const BudgetPlan& plan, int64_t windows, int64_t length) {
    const int64_t linears = openCount(plan);
    return uint64_t(probeSize(windows, length, linears).tokens()) * uint64_t(1 + linears) * uint64_t(model.hidden) * kFloat;
}

/// As linears are tried where bits are chosen (predict_losses.cpp).
Recipe triedRecipe(Recipe recipe) {
    recipe.inputCorrection = 0;
    recipe.refinePasses = 0;
    recipe.trueSequential = false;
    return recipe;
}

/// The head as floats, and as they are laid out; logits of two models and what is made of them.
uint64_t headBytes(const ModelInfo& model) {
    return 2 * uint64_t(model.vocabulary) * uint64_t(model.hidden) * kFloat + 5 * DamageProbe::kLogits * kFloat;
}

}  // namespace

MemoryForecast forecastMemory(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, int64_t windows, int64_t length,
                              uint64_t resident, int threads) {
    MemoryForecast forecast;
    forecast.activations = activationBytes(model, recipe, windows, length);
    const bool choosing = recipe.allocation == "greedy" && windows > 0;
    if (choosing)
        forecast.activations = std::max(forecast.activations, activationBytes(model, {}, windows, length) + probeBytes(model, plan, windows, length));
    const uint64_t base = resident + kLibraries + uint64_t(threads) * (2 << 20) + forecast.activations;
    std::vector<MemoryPhase> phases{{"choosing bits", choosing ? base + headBytes(model) : 0}, {"loading a block", 0}, {"collecting Hessians", 0}, {"quantizing", 0}, {"passing on", 0}};
    for (int b = 0; b < model.blocks; ++b) {
        const BlockForecast block(model, recipe, plan, b);
        const uint64_t tokens = windows ? uint64_t(std::min(windows, BlockRunner::windowsPerPass(length)) * length) : 0;
        const BlockForecast tried(model, triedRecipe(recipe), plan, b);
        const uint64_t each[] = {choosing ? tried.weights() + std::max({tried.pass(tokens) + tried.sums(), tried.finishing(), tried.hessians() + tried.quantizing()}) : 0,
                                 block.loading(),
                                 windows ? block.weights() + std::max(block.pass(tokens) + block.sums(), block.finishing()) : 0,
                                 block.weights() + (windows ? block.hessians() : 0) + block.quantizing(),
                                 windows && b + 1 < model.blocks ? block.weights() + block.pass(tokens) : 0};
        for (size_t i = 0; i < phases.size(); ++i)
            if (each[i]) phases[i].bytes = std::max(phases[i].bytes, base + each[i]);
    }
    for (MemoryPhase& p : phases)
        if (p.bytes) forecast.phases.push_back(std::move(p));
    return forecast;
}

}  // namespace owq
