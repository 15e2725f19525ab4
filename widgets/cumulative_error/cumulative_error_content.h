// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <span>

#include "widgets/plot/plot_content.h"

namespace owq {

enum class ErrorScale { Absolute, Share };  // Share: of the curve's own total

// Output error added up over the columns (paper Fig. 2): predicted as ½ λ_j‖ΔW_:,j‖², the scale of OPTQ's own loss, and after a run as
// OPTQ measured it (a weak column adds nothing). The columns stand in ascending order of influence; in Hessian order when asked.
// By index a running sum says nothing, so Index is shown as Rank: look at xMode of the result.
PlotContent cumulativeErrorContent(std::span<const LayerCurvesPtr> curves, XMode mode, ErrorScale scale);

}  // namespace owq
