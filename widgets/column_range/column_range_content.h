// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <span>

#include "widgets/plot/plot_content.h"

namespace owq {

// Smallest and largest weight of each column (paper Fig. 3). Needs no calibration data.
PlotContent columnRangeContent(std::span<const LayerCurvesPtr> curves, XMode mode);

}  // namespace owq
