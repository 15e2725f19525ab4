// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <span>

#include "widgets/plot/plot_content.h"

namespace owq {

// λ_j per input channel on a logarithmic axis (paper Fig. 1 left). Linears without a Hessian are left out.
PlotContent hessianContent(std::span<const LayerCurvesPtr> curves, XMode mode);

}  // namespace owq
