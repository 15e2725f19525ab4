// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <span>

#include "widgets/plot/plot_content.h"

namespace owq {

// How much of each linear's predicted output error (the sum of λ_j‖ΔW_:,j‖², paper eq. 6) is gone when its k most sensitive columns are kept
// in full precision, for k from 0 to twice the most that any of them keeps, at least 32: which linears gain from weak columns, and how
// many are worth their bits. Position k on the x axis is k weak columns; entry k names the k-th of them, entry 0 none (-1). Columns that are kept are marked.
PlotContent errorSavedContent(std::span<const LayerCurvesPtr> curves);

}  // namespace owq
