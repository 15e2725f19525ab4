// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/column_range/column_range_plot.h"

#include "widgets/column_range/column_range_content.h"

namespace owq {

ColumnRangePlot::ColumnRangePlot(QWidget* parent) : Plot(PlotKind::ColumnRange, parent) { rebuild(false); }

PlotContent ColumnRangePlot::makeContent(std::span<const LayerCurvesPtr> curves, XMode mode) const { return columnRangeContent(curves, mode); }

}  // namespace owq
