// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/column_range/column_range_plot.h"

#include "widgets/column_range/column_range_content.h"

namespace owq {

ColumnRangePlot::ColumnRangePlot(QWidget* parent) : Plot(PlotKind::ColumnRange, parent) { rebuild(false); }

Plot::ContentMaker ColumnRangePlot::contentMaker() const { return columnRangeContent; }

}  // namespace owq
