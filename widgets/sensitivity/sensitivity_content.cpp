// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/sensitivity/sensitivity_content.h"

namespace owq {

PlotContent sensitivityContent(std::span<const LayerCurvesPtr> curves, XMode mode) {
    PlotContent content;
    content.kind = PlotKind::Sensitivity;
    content.xMode = mode;
    content.title = QStringLiteral("Sensitivity");
    content.xTitle = xAxisTitle(mode);
    content.yTitle = QStringLiteral("Sensitivity λ‖ΔW‖²");
    content.logY = true;
    content.labelOutliers = mode == XMode::Index;
    content.values = {{QStringLiteral("sensitivity"), QString()}};
    content.emptyText = whyNothing(curves, QStringLiteral("Select a linear in the layer tree to see the sensitivity of its columns"),
                                   QStringLiteral("Run Analyze to see the sensitivity of each column"));
    content.blocks = makeBlocks(curves, mode);
    for (size_t i = 0; i < curves.size(); ++i)
        if (isKnown(*curves[i], curves[i]->sensitivity)) {
            content.blocks[i].values = {inOrder(curves[i]->sensitivity, content.blocks[i].column)};
            content.blocks[i].cut = cutOf(*curves[i], mode);
        }
    finishContent(content);
    return content;
}

}  // namespace owq
