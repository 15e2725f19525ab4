// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/cumulative_error/cumulative_error_content.h"

#include <cmath>

namespace owq {
namespace {

std::vector<float> predictedLoss(const LayerCurves& curves) {
    std::vector<float> loss;
    if (isKnown(curves, curves.sensitivity)) {
        loss = curves.sensitivity;
        for (float& value : loss) value *= 0.5F;
    } else if (isKnown(curves, curves.hessianDiagonal) && isKnown(curves, curves.columnError)) {
        loss.resize(curves.hessianDiagonal.size());
        for (size_t j = 0; j < loss.size(); ++j) loss[j] = 0.5F * curves.hessianDiagonal[j] * curves.columnError[j];
    }
    return loss;
}

// Back from the order of quantization to the model's column order. Weak columns are left out of columnLoss: they add nothing.
std::vector<float> measuredLoss(const LayerCurves& curves) {
    if (!curves.measured || curves.columnLoss.empty() || curves.columns <= 0) return {};
    if (curves.order.size() < curves.columnLoss.size()) return {};
    std::vector<float> loss(static_cast<size_t>(curves.columns), 0.0F);
    for (size_t i = 0; i < curves.columnLoss.size(); ++i) {
        const int column = curves.order[i];
        if (column < 0 || column >= curves.columns) return {};
        loss[static_cast<size_t>(column)] = curves.columnLoss[i];
    }
    return loss;
}

std::vector<double> runningSum(const std::vector<float>& loss, const std::vector<int>& columns, ErrorScale scale) {
    if (loss.empty()) return {};
    std::vector<double> sums = inOrder(loss, columns);
    double sum = 0;
    for (double& value : sums) {
        if (std::isfinite(value)) sum += value;
        value = sum;
    }
    if (scale == ErrorScale::Share && sum > 0)
        for (double& value : sums) value /= sum;
    return sums;
}

}  // namespace

PlotContent cumulativeErrorContent(std::span<const LayerCurvesPtr> curves, XMode mode, ErrorScale scale) {
    PlotContent content;
    content.kind = PlotKind::CumulativeError;
    content.xMode = mode == XMode::Index ? XMode::Rank : mode;
    content.title = QStringLiteral("Cumulative error");
    content.xTitle = xAxisTitle(content.xMode);
    content.yTitle = scale == ErrorScale::Share ? QStringLiteral("Share of output error") : QStringLiteral("Cumulative output error");
    content.values = {{QStringLiteral("predicted"), QStringLiteral("predicted"), true},
                      {QStringLiteral("measured"), QStringLiteral("measured")}};
    content.emptyText = whyNothing(curves, QStringLiteral("Select a linear in the layer tree to see its cumulative error"),
                                   QStringLiteral("Run Analyze to see the predicted error, Run to see the measured one"));
    content.blocks = makeBlocks(curves, content.xMode);
    for (size_t i = 0; i < curves.size(); ++i) {
        PlotBlock& block = content.blocks[i];
        block.values = {runningSum(predictedLoss(*curves[i]), block.column, scale),
                        runningSum(measuredLoss(*curves[i]), block.column, scale)};
        if (content.xMode == XMode::Rank) block.cut = cutOf(*curves[i], XMode::Rank);
    }
    finishContent(content);
    return content;
}

}  // namespace owq
