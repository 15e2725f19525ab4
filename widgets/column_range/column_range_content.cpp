// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/column_range/column_range_content.h"

namespace owq {

PlotContent columnRangeContent(std::span<const LayerCurvesPtr> curves, XMode mode) {
    PlotContent content;
    content.kind = PlotKind::ColumnRange;
    content.xMode = mode;
    content.title = QStringLiteral("Column range");
    content.xTitle = xAxisTitle(mode);
    content.yTitle = QStringLiteral("Weight (min, max)");
    content.shape = CurveShape::Range;
    content.values = {{QStringLiteral("column_min"), QString()}, {QStringLiteral("column_max"), QString()}};
    content.emptyText = curves.empty() ? QStringLiteral("Select a linear in the layer tree to see the range of its columns")
                                       : QStringLiteral("The weights of this linear have not been read yet");
    content.blocks = makeBlocks(curves, mode);
    for (size_t i = 0; i < curves.size(); ++i)
        if (isKnown(*curves[i], curves[i]->columnMin) && isKnown(*curves[i], curves[i]->columnMax))
            content.blocks[i].values = {inOrder(curves[i]->columnMin, content.blocks[i].column),
                                        inOrder(curves[i]->columnMax, content.blocks[i].column)};
    finishContent(content);
    return content;
}

}  // namespace owq
