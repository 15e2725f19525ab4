// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/hessian/hessian_plot.h"

#include "widgets/hessian/hessian_content.h"

namespace owq {

HessianPlot::HessianPlot(QWidget* parent) : Plot(PlotKind::HessianDiagonal, parent) { rebuild(false); }

PlotContent HessianPlot::makeContent(std::span<const LayerCurvesPtr> curves, XMode mode) const { return hessianContent(curves, mode); }

}  // namespace owq
