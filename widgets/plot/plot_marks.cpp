// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/plot_marks.h"

#include <algorithm>
#include <cmath>

#include "widgets/plot/qcustomplot.h"

namespace owq {
namespace {
const QString kLayer = QStringLiteral("crosshair");
}

PlotMarks::PlotMarks(QCustomPlot* plot) : plot_(plot) {
    plot_->addLayer(kLayer, plot_->layer(QStringLiteral("overlay")), QCustomPlot::limBelow);
    plot_->layer(kLayer)->setMode(QCPLayer::lmBuffered);
    const auto line = [this] {
        auto* item = new QCPItemStraightLine(plot_);
        item->setLayer(kLayer);
        item->setSelectable(false);
        item->setVisible(false);
        item->setAntialiased(false);
        return item;
    };
    vertical_ = line();
    horizontal_ = line();
    pinned_ = line();
    selected_ = line();
    cut_ = line();
    cutText_ = new QCPItemText(plot_);
    cutText_->setLayer(kLayer);
    cutText_->setVisible(false);
    cutText_->setPadding(QMargins(6, 2, 6, 2));
    cutText_->setPositionAlignment(Qt::AlignRight | Qt::AlignTop);
    for (size_t i = 0; i < kRings; ++i) {
        auto* ring = new QCPItemTracer(plot_);
        ring->setLayer(kLayer);
        ring->setStyle(QCPItemTracer::tsCircle);
        ring->setSize(10);
        ring->setVisible(false);
        ring->setSelectable(false);
        ring->setBrush(Qt::NoBrush);
        rings_.push_back(ring);
    }
}

void PlotMarks::setColors(const PlotTheme& theme, const QColor& highlight) {
    vertical_->setPen(QPen(theme.axis, 1));
    horizontal_->setPen(QPen(theme.axis, 1, Qt::DotLine));
    pinned_->setPen(QPen(theme.text, 1, Qt::DashDotLine));
    const QColor strong = blend(highlight, theme.text, 0.25);
    selected_->setPen(QPen(strong, 1));
    cut_->setPen(QPen(weakColor(theme), 2));
    cutText_->setColor(weakColor(theme));
    cutText_->setBrush(theme.background);
    for (QCPItemTracer* ring : rings_) ring->setPen(QPen(strong, 2));
}

void PlotMarks::place(QCPItemStraightLine* line, bool vertical, double at, bool visible) {
    line->setVisible(visible);
    line->point1->setCoords(vertical ? at : 0, vertical ? 1 : at);
    line->point2->setCoords(vertical ? at : 1, vertical ? 2 : at);
}

void PlotMarks::show(const PlotContent& content, const State& state) {
    place(vertical_, true, state.crosshair, state.crosshair >= 0);
    place(pinned_, true, state.pinned, state.pinned >= 0);
    double y = std::numeric_limits<double>::quiet_NaN();
    if (state.crosshair >= 0 && state.block < content.blocks.size()) {
        const PlotBlock& block = content.blocks[state.block];
        for (const auto& values : block.values)
            if (static_cast<size_t>(state.crosshair) < values.size()) y = content.drawn(values[static_cast<size_t>(state.crosshair)]);
    }
    place(horizontal_, false, std::isfinite(y) ? y : 1, std::isfinite(y));
    size_t ring = 0;
    place(selected_, true, state.selectedColumn, state.selectedColumn >= 0 && content.xMode == XMode::Index && !content.empty());
    for (const PlotBlock& block : content.blocks) {
        if (state.selectedColumn < 0) break;
        const auto found = std::find(block.column.begin(), block.column.end(), state.selectedColumn);
        if (found == block.column.end()) continue;
        for (const auto& values : block.values) {
            if (values.empty() || ring == kRings) continue;
            const auto position = static_cast<size_t>(found - block.column.begin());
            const double value = content.drawn(values[position]);
            if (!std::isfinite(value)) continue;
            rings_[ring]->position->setCoords(static_cast<double>(position), value);
            rings_[ring++]->setVisible(true);
        }
    }
    for (; ring < kRings; ++ring) rings_[ring]->setVisible(false);
}

void PlotMarks::showCut(double at, bool vertical, const QString& text) {
    place(cut_, vertical, at, true);
    cutText_->setVisible(!text.isEmpty());
    cutText_->setText(text);
    cutText_->position->setTypeX(vertical ? QCPItemPosition::ptPlotCoords : QCPItemPosition::ptAxisRectRatio);
    cutText_->position->setTypeY(vertical ? QCPItemPosition::ptAxisRectRatio : QCPItemPosition::ptPlotCoords);
    cutText_->position->setCoords(vertical ? at : 0.94, vertical ? 0.12 : at);
    repaint();
}

void PlotMarks::hideCut() {
    cut_->setVisible(false);
    cutText_->setVisible(false);
    repaint();
}

void PlotMarks::repaint() {
    // Before the first full replot there is no layout to paint a single layer with.
    if (plot_->isVisible()) plot_->layer(kLayer)->replot();
}

}  // namespace owq
