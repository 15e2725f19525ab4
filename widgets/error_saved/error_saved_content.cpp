// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/error_saved/error_saved_content.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace owq {
namespace {

constexpr size_t kFewestShown = 32, kMostShown = 512;

void fill(PlotBlock& block, const LayerCurves& curves, size_t most) {
    const std::vector<int> ranking = weakRanking(curves);
    double total = 0;
    for (const float s : curves.sensitivity)
        if (std::isfinite(s)) total += static_cast<double>(s);
    const size_t shown = std::min(most, ranking.size());
    const std::vector<char> kept = std::exchange(block.weak, {0});  // by column
    block.column = {-1};
    std::vector<double> saved{0};
    double sum = 0;
    for (size_t k = 0; k < shown; ++k) {
        const auto value = static_cast<double>(curves.sensitivity[static_cast<size_t>(ranking[k])]);
        if (std::isfinite(value)) sum += value;
        block.column.push_back(ranking[k]);
        block.weak.push_back(kept[static_cast<size_t>(ranking[k])]);
        saved.push_back(total > 0 ? sum / total : 0);
    }
    block.values = {std::move(saved)};
}

}  // namespace

PlotContent errorSavedContent(std::span<const LayerCurvesPtr> curves) {
    PlotContent content;
    content.kind = PlotKind::ErrorSaved;
    content.xMode = XMode::Rank;
    content.title = QStringLiteral("Error saved by weak columns");
    content.xTitle = QStringLiteral("Weak columns, most sensitive first");
    content.yTitle = QStringLiteral("Share of error saved");
    content.values = {{QStringLiteral("error_saved"), QString()}};
    content.emptyText = whyNothing(curves, QStringLiteral("Select linears in the layer tree to see what weak columns save"),
                                   QStringLiteral("Run Analyze to see what weak columns save"));
    content.blocks = makeBlocks(curves, XMode::Index);
    size_t most = kFewestShown;
    for (const LayerCurvesPtr& c : curves) most = std::min(kMostShown, std::max(most, 2 * c->weakColumns.size()));
    for (size_t i = 0; i < curves.size(); ++i)
        if (isKnown(*curves[i], curves[i]->sensitivity)) fill(content.blocks[i], *curves[i], most);
    finishContent(content);
    return content;
}

}  // namespace owq
