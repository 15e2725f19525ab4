// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/error_saved/error_saved_content.h"

#include <algorithm>
#include <cmath>

namespace owq {
namespace {

constexpr size_t kMostColumns = 64;  // what the paper's largest models keep is far less

// A linear without outliers gains k of n by k columns.
void fill(PlotBlock& block, const LayerCurves& curves) {
    const std::vector<int> ranking = weakRanking(curves);
    double total = 0;
    for (const float s : curves.sensitivity)
        if (std::isfinite(s)) total += static_cast<double>(s);
    const size_t shown = std::min(kMostColumns, ranking.size());
    const std::vector<int> kept(curves.weakColumns.begin(), curves.weakColumns.end());
    block.column = {-1};
    block.weak = {0};
    std::vector<double> saved{0};
    double sum = 0;
    for (size_t k = 0; k < shown; ++k) {
        const auto value = static_cast<double>(curves.sensitivity[static_cast<size_t>(ranking[k])]);
        if (std::isfinite(value)) sum += value;
        block.column.push_back(ranking[k]);
        block.weak.push_back(std::find(kept.begin(), kept.end(), ranking[k]) != kept.end());
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
    content.yTitle = QStringLiteral("Share of predicted error saved");
    content.values = {{QStringLiteral("error_saved"), QString()}};
    content.emptyText = curves.empty() ? QStringLiteral("Select linears in the layer tree to see what weak columns save")
                                       : QStringLiteral("Run Analyze to see what weak columns save");
    content.blocks = makeBlocks(curves, XMode::Index);
    for (size_t i = 0; i < curves.size(); ++i)
        if (isKnown(*curves[i], curves[i]->sensitivity)) fill(content.blocks[i], *curves[i]);
    finishContent(content);
    return content;
}

}  // namespace owq
