// SPDX-License-Identifier: Apache-2.0
#include "app/cli/recipe_options.h"

#include "app/cli/command.h"
#include "core/base/error.h"

namespace owq::cli {

void RecipeArguments::add(CLI::App& command, bool whole) {
    constexpr const char* group = "Recipe";
    if (whole)
        command.add_option("--method", method, "owq, optq or rtn")
            ->check(CLI::IsMember({"owq", "optq", "rtn"}))->group(group)->capture_default_str();
    command.add_option("--bits", recipe.bits, "Bits of a weight")->type_name("N")->group(group)->capture_default_str();
    command.add_option("--target-bits", recipe.targetBits, "owq: effective bits aimed at (default: bits + 0.01)")
        ->type_name("X")->group(group);
    command.add_option("--weak-columns", recipe.weakColumns, "The same number of weak columns for every linear")
        ->type_name("N")->group(group)->check(CLI::NonNegativeNumber);
    command.add_option("--weak-metric", metric, "sensitivity, hessian, weight-error or weight-magnitude")
        ->check(CLI::IsMember({"sensitivity", "hessian", "weight-error", "weight-magnitude"}))->group(group)->capture_default_str();
    command.add_option("--weak-layers", recipe.weakLayers, "Linears that get weak columns (default: every one)")
        ->type_name("PATTERN")->group(group);
    command.add_option("--layers", recipe.layers, "Linears that are worked on at all (default: every one)")
        ->type_name("PATTERN")->group(group);
    command.add_option("--grid", recipe.grid, "search, minmax or either: for each row the better of both (default: search for owq, minmax for rtn and optq)")
        ->check(CLI::IsMember({"search", "minmax", "either"}))->group(group);
    command.add_option("--group-size", recipe.groupSize, "Columns that share a scale (default: the whole row)")
        ->type_name("N")->group(group)->check(CLI::NonNegativeNumber);
    command.add_flag("--symmetric", recipe.symmetric, "Grids symmetric around zero")->group(group);
    command.add_option("--recipe", recipe.preset,
                       "paper: as the authors' code; best: closer to the original at the same size (--refine 20 --stored-scales "
                       "--damping 0.0005 --input-correction 0.25 --allocation greedy)")
        ->check(CLI::IsMember({"paper", "best"}))->group(group)->capture_default_str();
    if (!whole) return;
    command.add_flag("--act-order", recipe.actOrder, "Quantize columns by falling importance")->group(group);
    damping_ = command.add_option("--damping", recipe.damping, "Share of the Hessian's mean diagonal added to it (paper: 0.01, for Falcon 1 as the authors have it; best: 0.0005)")
        ->type_name("X")->group(group)->capture_default_str();
    command.add_flag("--true-sequential", recipe.trueSequential,
                     "Feed each group of linears with the quantized ones before it")->group(group);
    command.add_flag("--stored-scales", recipe.storedScales, "Round scales to their stored type before the column loop")->group(group);
    refine_ = command.add_option("--refine", recipe.refinePasses,
                                 "Passes of coordinate descent over codes, scales and weak columns after the column loop")
        ->type_name("N")->group(group)->capture_default_str();
    correction_ = command.add_option("--input-correction", recipe.inputCorrection,
                       "0 to 1: aim at the original model's outputs, given the inputs that quantized layers leave")
        ->type_name("X")->group(group)->capture_default_str();
    allocation_ = command.add_option("--allocation", recipe.allocation,
                       "paper: weak columns by the paper's rule; greedy: bits and weak columns where they help most, at the same stored size "
                       "(each linear is tried first: about as long as a plain run)")
        ->check(CLI::IsMember({"paper", "greedy"}))->group(group)->capture_default_str();
}

Recipe RecipeArguments::resolve(uint64_t seed, bool fixedBudget) const {
    Recipe result = recipe;
    result.method = methodFromName(method);
    result.metric = metricFromName(metric);
    result.seed = seed;
    const Recipe preset = presetRecipe(result.preset, result.method);
    const auto chosen = [](const CLI::Option* option) { return option && option->count() > 0; };
    result.storedScales |= preset.storedScales;
    if (!chosen(refine_)) result.refinePasses = preset.refinePasses;
    if (!chosen(damping_)) result.damping = preset.damping;
    // Where numbers are given, and where nothing will be quantized, there is nothing to allocate.
    if (!chosen(allocation_)) result.allocation = !allocation_ || result.weakColumns >= 0 || fixedBudget ? "paper" : preset.allocation;
    if (!chosen(correction_)) result.inputCorrection = preset.inputCorrection;
    try {
        checkRecipe(result);
    } catch (const Error& error) {
        throw UsageError(error.what());
    }
    return result;
}

}  // namespace owq::cli
