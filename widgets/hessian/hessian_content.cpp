// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/hessian/hessian_content.h"

namespace owq {

PlotContent hessianContent(std::span<const LayerCurvesPtr> curves, XMode mode) {
    PlotContent content;
    content.kind = PlotKind::HessianDiagonal;
    content.xMode = mode;
    content.title = QStringLiteral("Hessian diagonal");
    content.xTitle = xAxisTitle(mode);
    content.yTitle = QStringLiteral("Hessian diagonal λ");
    content.logY = true;
    content.labelOutliers = mode == XMode::Index;  // sorted, they would stand in one heap
    content.values = {{QStringLiteral("hessian_diagonal"), QString()}};
    content.emptyText = whyNothing(curves, QStringLiteral("Select a linear in the layer tree to see its Hessian diagonal"),
                                   QStringLiteral("Run Analyze to see the Hessian diagonal"));
    content.blocks = makeBlocks(curves, mode);
    for (size_t i = 0; i < curves.size(); ++i)
        if (isKnown(*curves[i], curves[i]->hessianDiagonal))
            content.blocks[i].values = {inOrder(curves[i]->hessianDiagonal, content.blocks[i].column)};
    finishContent(content);
    return content;
}

}  // namespace owq
