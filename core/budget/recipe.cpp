// SPDX-License-Identifier: Apache-2.0
#include "core/budget/recipe.h"

#include <cmath>

namespace owq {

bool usesGridSearch(const Recipe& recipe) {
    return recipe.grid.empty() ? recipe.method == Method::owq : recipe.grid != "minmax";
}

Json toJson(const Recipe& r) {
    Json j;
    j["method"] = methodName(r.method);
    j["bits"] = r.bits;
    j["target_bits"] = r.targetBits;
    j["weak_columns"] = r.weakColumns;
    j["weak_metric"] = metricName(r.metric);
    j["grid"] = r.grid == "either" ? r.grid : usesGridSearch(r) ? "search" : "minmax";
    j["symmetric"] = r.symmetric;
    j["group_size"] = r.groupSize;
    j["act_order"] = r.actOrder;
    j["damping"] = r.damping;
    j["true_sequential"] = r.trueSequential;
    j["layers"] = r.layers;
    j["weak_layers"] = r.weakLayers;
    j["stored_scales"] = r.storedScales;
    j["refine"] = r.refinePasses;
    j["input_correction"] = r.inputCorrection;
    j["allocation"] = r.allocation;
    j["preset"] = r.preset;
    j["seed"] = r.seed;
    return j;
}

Recipe presetRecipe(const std::string& preset, Method method) {
    if (preset != "paper" && preset != "best") throw Error("recipe \"" + preset + "\" is not known", "recipe", "Use paper or best");
    Recipe r;
    r.method = method;
    r.preset = preset;
    if (preset == "best" && method != Method::rtn) {  // plain rounding has nothing to do better with
        r.storedScales = true;
        r.refinePasses = 20;
        r.damping = 0.0005;
        r.inputCorrection = 0.25;
        r.allocation = "greedy";
    }
    return r;
}

Recipe recipeFromJson(const Json& j, const std::string& where) {
    Recipe r = presetRecipe(optional<std::string>(j, "preset", "paper", where),
                            methodFromName(optional<std::string>(j, "method", "owq", where)));
    const int64_t bits = optional<int64_t>(j, "bits", r.bits, where);
    if (bits < 0 || bits > 64) throw Error("bits must be 2, 3, 4 or 8, not " + std::to_string(bits), where);
    r.bits = int(bits);
    r.targetBits = optional<double>(j, "target_bits", r.targetBits, where);
    r.weakColumns = optional<int64_t>(j, "weak_columns", r.weakColumns, where);
    r.metric = metricFromName(optional<std::string>(j, "weak_metric", metricName(r.metric), where));
    r.grid = optional<std::string>(j, "grid", r.grid, where);
    r.symmetric = optional<bool>(j, "symmetric", r.symmetric, where);
    r.groupSize = optional<int64_t>(j, "group_size", r.groupSize, where);
    r.actOrder = optional<bool>(j, "act_order", r.actOrder, where);
    r.damping = optional<double>(j, "damping", r.damping, where);
    r.trueSequential = optional<bool>(j, "true_sequential", r.trueSequential, where);
    r.layers = optional<std::string>(j, "layers", r.layers, where);
    r.weakLayers = optional<std::string>(j, "weak_layers", r.weakLayers, where);
    r.storedScales = optional<bool>(j, "stored_scales", r.storedScales, where);
    r.refinePasses = int(optional<int64_t>(j, "refine", r.refinePasses, where));
    r.inputCorrection = optional<double>(j, "input_correction", r.inputCorrection, where);
    // A number of weak columns that was asked for leaves nothing to allocate.
    r.allocation = optional<std::string>(j, "allocation", r.weakColumns >= 0 ? "paper" : r.allocation, where);
    r.seed = uint64_t(optional<int64_t>(j, "seed", int64_t(r.seed), where));
    checkRecipe(r);
    return r;
}

void checkRecipe(const Recipe& r) {
    if (r.bits != 2 && r.bits != 3 && r.bits != 4 && r.bits != 8)
        throw Error("bits must be 2, 3, 4 or 8, not " + std::to_string(r.bits), "recipe");
    if (!r.grid.empty() && r.grid != "search" && r.grid != "minmax" && r.grid != "either")
        throw Error("grid must be \"search\", \"minmax\" or \"either\", not \"" + r.grid + "\"", "recipe");
    presetRecipe(r.preset, r.method);  // refuses unknown names
    if (!std::isfinite(r.damping) || r.damping < 0 || r.damping > 1e6)
        throw Error("damping must lie between 0 and a million (the usual value is 0.01; a million leaves plain rounding)", "recipe");
    if (r.refinePasses < 0 || r.refinePasses > 1000) throw Error("refinement passes must lie between 0 and 1000", "recipe");
    if (!(r.inputCorrection >= 0 && r.inputCorrection <= 1)) throw Error("the input correction must lie between 0 and 1", "recipe");
    if (r.method == Method::rtn && (r.refinePasses > 0 || r.inputCorrection > 0))
        throw Error("plain rounding uses no calibration: refinement and input correction do not apply to it", "recipe",
                    "Leave them out, or use the method optq or owq");
    if (r.method == Method::rtn && r.grid == "either")
        throw Error("plain rounding uses no calibration: there is no loss to choose between grids by", "recipe",
                    "Choose search or minmax, or the method optq or owq");
    if (r.allocation != "paper" && r.allocation != "greedy")
        throw Error("allocation must be \"paper\" or \"greedy\", not \"" + r.allocation + "\"", "recipe");
    if (r.method == Method::rtn && r.allocation != "paper")
        throw Error("plain rounding uses no calibration: greedy allocation does not apply to it", "recipe",
                    "Leave it out, or use the method optq or owq");
    if (r.allocation == "greedy" && r.weakColumns >= 0)
        throw Error("the same number of weak columns everywhere and greedy allocation exclude each other", "recipe", "Leave out one of the two");
    if (r.groupSize > 0 && r.actOrder)
        throw Error("groups and act-order exclude each other: the format keeps no map from columns to groups", "recipe",
                    "Leave out one of the two");
    if (r.groupSize < 0) throw Error("the group size must not be negative", "recipe", "Use 0 for one grid per row");
    if (r.method != Method::owq && (r.targetBits != 0 && r.targetBits != r.bits))
        throw Error("target bits belong to the method owq, not to " + methodName(r.method), "recipe",
                    "Leave out the target or choose owq");
    if (r.method != Method::owq && r.weakColumns > 0)
        throw Error("weak columns belong to the method owq, not to " + methodName(r.method), "recipe");
    if (r.targetBits != 0 && (!std::isfinite(r.targetBits) || r.targetBits < r.bits || r.targetBits >= 16))
        throw Error("the target of " + std::to_string(r.targetBits) + " bits cannot be reached with " +
                        std::to_string(r.bits) + "-bit codes", "recipe",
                    "Choose a target from " + std::to_string(r.bits) + " to below 16, or other bits");
    if (r.weakColumns < -1) throw Error("the number of weak columns must not be negative", "recipe");
}

}  // namespace owq
