// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/sensitivity/sensitivity_plot.h"

#include "widgets/sensitivity/sensitivity_content.h"

namespace owq {

SensitivityPlot::SensitivityPlot(QWidget* parent) : Plot(PlotKind::Sensitivity, parent) { rebuild(false); }

Plot::ContentMaker SensitivityPlot::contentMaker() const { return sensitivityContent; }

}  // namespace owq
