// SPDX-License-Identifier: Apache-2.0
// The settings of a sweep, out of a grid file.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/budget/recipe.h"
#include "core/jobs/calibrate.h"

namespace owq {

/// One combination: everything that decides a run, besides the model.
struct SweepSetting {
    std::string name;                ///< of its run directory, unlike every other's
    Recipe recipe;
    CalibrationOptions calibration;  ///< not needed for rtn
    Json values;                     ///< what varies between the settings, in the words of the grid file; null where it has no meaning
};

struct SweepGrid {
    std::vector<std::string> varied;  ///< keys of SweepSetting::values, in the order of the file
    std::vector<SweepSetting> settings;
    bool needsCalibration() const;
};

inline constexpr size_t kMostSettings = 10'000;

/// A grid is a JSON object. Each key is a field of recipe.json's recipe (bits, target_bits, weak_metric, weak_layers…) or
/// "samples"; "seed" is that of the recipe and of the calibration windows at once ("calibration.seed" and
/// "calibration.samples" are other spellings). Each value is a scalar or an array; every combination is a setting, the last key
/// varying fastest. "settings", an array of objects of the same kind, each merged over the other keys, lists them one by one;
/// there "name" names the run directory. What neither says is as in `base` and Recipe.
/// Throws Error (unknown key, wrong type, empty array, impossible combination, the same setting twice, over kMostSettings).
SweepGrid expandGrid(const Json& grid, const CalibrationOptions& base, const std::string& where);
SweepGrid readGrid(const std::filesystem::path& file, const CalibrationOptions& base);
/// 3 and 4 bits: owq at 0.01, 0.05 and 0.1 above, optq, rtn.
SweepGrid defaultGrid(const CalibrationOptions& base);

}  // namespace owq
