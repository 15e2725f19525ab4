// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <span>

#include "widgets/plot/plot_content.h"

namespace owq {

// λ_j‖ΔW_:,j‖² per column (paper eq. 6) with the cut between the weak and the quantized columns.
PlotContent sensitivityContent(std::span<const LayerCurvesPtr> curves, XMode mode);

}  // namespace owq
