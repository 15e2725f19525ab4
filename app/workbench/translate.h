// SPDX-License-Identifier: GPL-3.0-or-later
// Structs of the core to the plain structs of the widgets, and back. Touches no file and computes nothing
// heavy.
#pragma once
#include <QString>
#include <filesystem>

#include "core/jobs/calibrate.h"
#include "core/jobs/inspect.h"
#include "core/jobs/quantize.h"
#include "core/jobs/run_directory.h"
#include "widgets/layer_tree/layer_row.h"
#include "widgets/plot/layer_curves.h"
#include "widgets/results/result_row.h"
#include "widgets/run_panel/run_settings.h"

namespace owq {

std::filesystem::path toPath(const QString& text);
QString fromPath(const std::filesystem::path& path);

LayerRow layerRow(const LinearInfo& linear);
LayerRow layerRow(const LayerReport& report);
LayerCurves layerCurves(const LayerReport& report);
LayerCurves layerCurves(const LinearInfo& linear, const ColumnRanges& ranges);

/// `fixedBudget`: a plan is given, so that nothing is allocated.
Recipe recipeOf(const RunSettings& settings, bool fixedBudget = false);
CalibrationOptions calibrationOf(const RunSettings& settings);
ResultRow resultRow(const RunSummary& run);
/// Of a task file, for a person: its folder's name where the file is named as owq tune does.
QString taskName(const QString& file);
/// "OWQ 3.05 bits", for titles.
QString describe(const Recipe& recipe);
QString methodText(Method method);

}  // namespace owq
