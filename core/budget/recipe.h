// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "core/base/json.h"
#include "core/quantize/quantize.h"

namespace owq {

/// Everything that decides the result of a run, besides model and calibration windows. Written to recipe.json.
struct Recipe {
    Method method = Method::owq;
    int bits = 3;
    double targetBits = 0;      ///< owq: paper's effective bits aimed at; 0: bits + 0.01
    int64_t weakColumns = -1;   ///< the same number for every linear; -1: from targetBits
    WeakMetric metric = WeakMetric::sensitivity;
    std::string grid;           ///< "search", "minmax", "either" (for each row the better of both after the column loop) or empty: search for
                                ///< owq, minmax for rtn and optq
    bool symmetric = false;
    int64_t groupSize = 0;
    bool actOrder = false;
    double damping = 0.01;
    bool trueSequential = false;
    std::string layers;         ///< pattern of linears that are quantized at all; empty: every one
    std::string weakLayers;     ///< pattern of linears that get weak columns; empty: every one
    bool storedScales = false;  ///< scales are rounded to the type they are stored in before the column loop, which then makes up for it
    int refinePasses = 0;       ///< of coordinate descent over codes, scales and weak columns after the column loop
    double inputCorrection = 0; ///< 0…1: how far weights aim at the original's outputs, given the quantized model's inputs
    std::string allocation = "paper";  ///< "paper": its rule for weak columns; "greedy": bits and weak columns at the same stored size
                                       ///< where they help most (core/budget/allocate.h)
    std::string preset = "paper";  ///< which recipe the settings above come from: "paper" or "best"
    uint64_t seed = 0;
};

/// Whether a grid is found by the range search under this recipe, and columns are ranked with it.
bool usesGridSearch(const Recipe& recipe);

/// What a preset ("paper" or "best") sets, for whatever is not chosen otherwise; same method, bits and targets. The damping of "best" is
/// a twentieth of the paper's: a share of the mean diagonal, which a few outlier inputs make up, is large against all other inputs. It asks for
/// many more calibration tokens than a linear has inputs. "best" mixes widths, which the authors' packed file cannot hold. Throws Error for another name.
Recipe presetRecipe(const std::string& preset, Method method);

Json toJson(const Recipe& recipe);
/// Fields that are missing are the preset's. Throws Error on unknown or impossible values.
Recipe recipeFromJson(const Json& value, const std::string& where);
/// Throws Error with what to do when options contradict each other or are out of range.
void checkRecipe(const Recipe& recipe);

}  // namespace owq
