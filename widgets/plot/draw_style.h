// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QFont>
#include <QList>
#include <QPen>

#include "widgets/plot/palette.h"

class QCPLegend;
class QCustomPlot;
class QWidget;

namespace owq {

// Sizes in the drawing's own unit: device-independent pixels on screen, a fraction of a point in a figure.
struct DrawStyle {
    PlotTheme theme;
    QFont font;         // with a pixel size
    double line = 1;    // curves. Above 1 on screen, Qt strokes dense curves 100 times slower
    double axis = 1;    // axes, ticks, grid
    bool paper = false;  // a figure: every pen has its explicit width, scatter is not thinned out
    bool raster = false;  // a figure made of pixels
    bool thin = false;    // a figure that is only looked at: dense curves are thinned out, as on screen
    static DrawStyle onScreen(const QWidget& widget);  // colours and font of a plot in it
    double em() const { return font.pixelSize(); }
};

// Round joins; dashes end where they end.
QPen penOf(const QColor& color, double width, const QList<qreal>& dashes = {});

// Background, axes, grid and legend of every plot and figure.
void styleAxes(QCustomPlot& plot, QCPLegend& legend, const DrawStyle& style);

}  // namespace owq
