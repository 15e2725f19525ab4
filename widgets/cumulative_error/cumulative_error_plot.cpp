// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/cumulative_error/cumulative_error_plot.h"

#include <QAction>

namespace owq {

CumulativeErrorPlot::CumulativeErrorPlot(QWidget* parent) : Plot(PlotKind::CumulativeError, parent) {
    share_ = addOwnAction(tr("As s&hare of the total"), tr("Each curve divided by its own total"), QKeySequence(Qt::Key_Percent));
    share_->setCheckable(true);
    connect(share_, &QAction::toggled, this, [this](bool on) { setScale(on ? ErrorScale::Share : ErrorScale::Absolute); });
    rebuild(false);
}

void CumulativeErrorPlot::setScale(ErrorScale scale) {
    if (scale == scale_) return;
    scale_ = scale;
    share_->setChecked(scale == ErrorScale::Share);
    rebuild(true);
}

Plot::ContentMaker CumulativeErrorPlot::contentMaker() const {
    return [scale = scale_](std::span<const LayerCurvesPtr> curves, XMode mode) { return cumulativeErrorContent(curves, mode, scale); };
}

}  // namespace owq
