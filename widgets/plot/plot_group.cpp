// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/plot_group.h"

namespace owq {

template <typename Action>
void PlotGroup::others(Plot* source, Action action) {
    if (following_) return;
    following_ = true;
    for (Plot* plot : plots_)
        if (plot != source) action(plot);
    following_ = false;
}

template <typename Action>
void PlotGroup::othersInThisOrder(Plot* source, Action action) {
    others(source, [&](Plot* other) {
        if (other->content().xMode == source->content().xMode) action(other);
    });
}

void PlotGroup::add(Plot* plot) {
    plots_.push_back(plot);
    plot->setXMode(xMode_);
    plot->setSelectedColumn(selectedColumn_);
    connect(plot, &QObject::destroyed, this, [this, plot] { std::erase(plots_, plot); });
    connect(plot, &Plot::viewStepped, this,
            [this, plot](Plot::Step step, double xLower, double xUpper) { follow(plot, step, xLower, xUpper); });
    connect(plot, &Plot::crosshairMoved, this, [this, plot](int position) {
        othersInThisOrder(plot, [position](Plot* other) { other->setCrosshair(position); });
    });
    connect(plot, &Plot::referenceMoved, this, [this, plot](int position) {
        othersInThisOrder(plot, [position](Plot* other) { other->setReference(position); });
    });
    connect(plot, &Plot::columnSelected, this, [this](const QString& layer, int column) {
        selectColumn(column, layer);
        Q_EMIT columnSelected(layer, column);
    });
    connect(plot, &Plot::figureRequested, this, [this, plot] { Q_EMIT figureRequested(plot); });
    connect(plot, &Plot::cutMoved, this, &PlotGroup::cutMoved);
    connect(plot, &Plot::failed, this, &PlotGroup::failed);
}

void PlotGroup::setCurves(const std::vector<LayerCurvesPtr>& curves) {
    for (Plot* plot : plots_) plot->setCurves(curves);
}

void PlotGroup::setCutMovable(bool movable) {
    for (Plot* plot : plots_) plot->setCutMovable(movable);
}

void PlotGroup::showWeak(const QString& layer, int weakColumns) {
    for (Plot* plot : plots_) plot->showWeak(layer, weakColumns);
}

void PlotGroup::setXMode(XMode mode) {
    if (mode == xMode_) return;
    xMode_ = mode;
    for (Plot* plot : plots_) plot->setXMode(mode);
    Q_EMIT xModeChanged(mode);
}

void PlotGroup::selectColumn(int column, const QString& layer) {
    selectedColumn_ = column;
    for (Plot* plot : plots_) plot->setSelectedColumn(column, layer);
}

// Each zoom leaves one entry in every linked plot's history, so that one step back anywhere is one step back everywhere.
void PlotGroup::follow(Plot* source, Plot::Step step, double xLower, double xUpper) {
    if (!linked_) return;
    others(source, [&](Plot* plot) {
        if (plot->content().xMode == source->content().xMode && plot->content().length == source->content().length) plot->followStep(step, xLower, xUpper);
    });
}

}  // namespace owq
