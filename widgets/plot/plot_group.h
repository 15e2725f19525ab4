// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <vector>

#include "widgets/plot/plot.h"

namespace owq {

// Plots that speak of the same columns: one x mode, one selected column, one crosshair, one pinned reference, one zoom along x with one
// history. Plots that show another order than the zoomed one (cumulative error has none by index) keep their own x range and reference.
class PlotGroup : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    void add(Plot* plot);  // not owned
    const std::vector<Plot*>& plots() const { return plots_; }
    void setCurves(const std::vector<LayerCurvesPtr>& curves);
    void setXMode(XMode mode);
    XMode xMode() const { return xMode_; }
    void setCutMovable(bool movable);
    void showWeak(const QString& layer, int weakColumns);
    void setZoomLinked(bool linked) { linked_ = linked; }
    void selectColumn(int column, const QString& layer = {});
    int selectedColumn() const { return selectedColumn_; }

Q_SIGNALS:
    void columnSelected(const QString& layer, int column);
    void xModeChanged(owq::XMode mode);
    void figureRequested(owq::Plot* plot);
    void cutMoved(const QString& layer, int weakColumns, bool finished);
    void failed(const QString& message);

private:
    void follow(Plot* source, Plot::Step step, double xLower, double xUpper);
    template <typename Action>
    void others(Plot* source, Action action);
    template <typename Action>
    void othersInThisOrder(Plot* source, Action action);

    std::vector<Plot*> plots_;
    XMode xMode_ = XMode::Index;
    int selectedColumn_ = -1;
    bool linked_ = true;
    bool following_ = false;  // the others answer with signals of their own
};

}  // namespace owq
