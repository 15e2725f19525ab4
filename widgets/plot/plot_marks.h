// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <vector>

#include "widgets/plot/plot_content.h"

class QCPItemStraightLine;
class QCPItemText;
class QCPItemTracer;
class QCustomPlot;

namespace owq {

// Crosshair, pinned reference, selected column and the cut being dragged, on a layer with a buffer of its own: moving them costs
// 0.03 ms where a full replot costs milliseconds.
class PlotMarks {
public:
    explicit PlotMarks(QCustomPlot* plot);

    struct State {
        int crosshair = -1, pinned = -1;  // positions
        int selectedColumn = -1;
        size_t block = 0;  // whose value carries the horizontal line
    };
    void setColors(const PlotTheme& theme, const QColor& highlight);
    void show(const PlotContent& content, const State& state);  // seen at the next repaint
    void repaint();                                              // the layer only, unless others have changed: then the whole plot at once
    void showCut(double at, bool vertical, const QString& text);
    void hideCut();
    static constexpr size_t kRings = 16;  // curves that get a ring at the selected column

private:
    void place(QCPItemStraightLine* line, bool vertical, double at, bool visible);

    QCustomPlot* plot_;
    QCPItemStraightLine *vertical_, *horizontal_, *pinned_, *selected_, *cut_;
    QCPItemText* cutText_;
    std::vector<QCPItemTracer*> rings_;
};

}  // namespace owq
