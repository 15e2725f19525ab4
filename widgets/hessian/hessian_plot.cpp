// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/hessian/hessian_plot.h"

#include "widgets/hessian/hessian_content.h"

namespace owq {

HessianPlot::HessianPlot(QWidget* parent) : Plot(PlotKind::HessianDiagonal, parent) { rebuild(false); }

Plot::ContentMaker HessianPlot::contentMaker() const { return hessianContent; }

}  // namespace owq
