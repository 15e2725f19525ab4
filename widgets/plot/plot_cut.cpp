// SPDX-License-Identifier: GPL-3.0-or-later
// The cut of a Plot as a handle: dragged with the mouse, moved by keys, shown at once.
#include <QAction>
#include <algorithm>
#include <cmath>

#include "widgets/plot/content_drawing.h"
#include "widgets/plot/plot.h"
#include "widgets/plot/plot_canvas.h"
#include "widgets/plot/plot_marks.h"

namespace owq {
namespace {
constexpr double kPickPixels = 6;
}

void Plot::setCutMovable(bool movable) {
    cutMovable_ = movable;
    for (QAction* action : cutActions_) action->setEnabled(movable), action->setVisible(movable);
}

LayerCurvesPtr Plot::curvesOf(const QString& layer) const {
    const auto it = std::find_if(curves_.begin(), curves_.end(), [&](const LayerCurvesPtr& c) { return c->name == layer; });
    return it == curves_.end() ? nullptr : *it;
}

const std::vector<int>& Plot::rankingOf(const LayerCurvesPtr& curves) {
    if (ranked_ != curves) ranking_ = weakRanking(*curves);
    ranked_ = curves;
    return ranking_;
}

int Plot::cutBlockAt(QPointF pixel) const {
    if (!cutMovable_ || !canvas_->axisRect()->rect().contains(pixel.toPoint())) return -1;
    int nearest = -1;
    double least = kPickPixels;
    for (size_t b = 0; b < content_.blocks.size(); ++b) {
        const auto& cut = content_.blocks[b].cut;
        if (!cut) continue;
        const double distance = content_.xMode == XMode::Index ? std::abs(canvas_->yAxis->coordToPixel(*cut) - pixel.y())
                                                               : std::abs(canvas_->xAxis->coordToPixel(*cut) - pixel.x());
        if (distance > least) continue;
        const LayerCurvesPtr curves = curvesOf(content_.blocks[b].name);
        if (curves && curves->planned) least = distance, nearest = static_cast<int>(b);
    }
    return nearest;
}

void Plot::dragCut(QPointF pixel, bool finished) {
    if (cutBlock_ < 0 || static_cast<size_t>(cutBlock_) >= content_.blocks.size()) return;
    const PlotBlock& block = content_.blocks[static_cast<size_t>(cutBlock_)];
    const LayerCurvesPtr curves = curvesOf(block.name);
    if (!curves) return;
    const bool horizontal = content_.xMode == XMode::Index;
    const int columns = static_cast<int>(block.column.size());
    int weak = columns - static_cast<int>(std::lround(canvas_->xAxis->pixelToCoord(pixel.x()) + 0.5));
    if (horizontal) {
        const double threshold = canvas_->yAxis->pixelToCoord(pixel.y());
        const std::vector<int>& ranking = rankingOf(curves);
        const auto above = [&](int column) { return static_cast<double>(curves->sensitivity[static_cast<size_t>(column)]) > threshold; };
        weak = static_cast<int>(std::partition_point(ranking.begin(), ranking.end(), above) - ranking.begin());
    }
    weak = std::clamp(weak, 0, columns - 1);  // a linear needs a column to quantize
    const QString layer = block.name;
    if (finished) {
        marks_->hideCut();
    } else if (const auto cut = cutAt(*curves, content_.xMode, weak)) {
        // A single curve's cut has its own number.
        marks_->showCut(*cut, !horizontal, content_.blocks.size() > 1 ? QStringLiteral("k = %1").arg(weak) : QString());
    }
    Q_EMIT cutMoved(layer, weak, finished);
}

void Plot::stepCut(int by) {
    if (block_ >= content_.blocks.size()) return;
    const PlotBlock& block = content_.blocks[block_];
    const LayerCurvesPtr curves = curvesOf(block.name);
    if (!curves || !curves->planned || !isKnown(*curves, curves->sensitivity)) return;
    const QString layer = block.name;
    Q_EMIT cutMoved(layer, std::clamp(block.weakCount + by, 0, std::max(0, curves->columns - 1)), true);
}

void Plot::showWeak(const QString& layer, int weakColumns) {
    const LayerCurvesPtr curves = curvesOf(layer);
    const auto found = std::find_if(content_.blocks.begin(), content_.blocks.end(), [&](const PlotBlock& b) { return b.name == layer; });
    if (!curves || found == content_.blocks.end() || found->weakCount == weakColumns) return;
    const std::vector<int>& ranking = rankingOf(curves);
    if (ranking.empty()) return;
    std::vector<char> weak(ranking.size(), 0);
    weakColumns = std::clamp(weakColumns, 0, static_cast<int>(ranking.size()));
    for (int r = 0; r < weakColumns; ++r) weak[static_cast<size_t>(ranking[static_cast<size_t>(r)])] = 1;
    for (size_t i = 0; i < found->column.size(); ++i) found->weak[i] = weak[static_cast<size_t>(found->column[i])];
    found->weakCount = weakColumns;
    if (found->cut) found->cut = cutAt(*curves, content_.xMode, weakColumns);
    const bool moved = drawing_->moveWeak(static_cast<size_t>(found - content_.blocks.begin()));
    if (!moved) restyle(view());
    table_.weakChanged();
    updateMarks(moved);
}

}  // namespace owq
