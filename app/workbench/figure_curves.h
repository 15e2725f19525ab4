// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <vector>

#include "app/workbench/arguments.h"
#include "app/workbench/job_functions.h"
#include "app/workbench/project.h"
#include "widgets/plot/plot_content.h"

namespace owq {

/// The curves of the figure that `arguments` ask for, as the window shows them: of a run or two compared, an analysis, a checkpoint (only
/// column ranges), or of what `project` shows. Throws Error.
std::vector<LayerCurvesPtr> figureCurves(const Arguments& arguments, PlotKind kind, const std::optional<Project>& project, const JobFunctions& jobs);

}  // namespace owq
