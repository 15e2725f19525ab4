// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/figure_painter.h"

#include "widgets/plot/qcustomplot.h"

namespace owq {
namespace {

void prepare(QCustomPlot& plot, QSize size, const PlotContent& content, const DrawStyle& style) {
    auto* drawing = new ContentDrawing(&plot);
    drawing->show(content, style);
    const double lower = ContentDrawing::xLower(content), upper = ContentDrawing::xUpper(content);
    drawing->setRange(lower, upper, yRange(content, lower, upper));
    drawing->wrapLegend(size.width());
}

}  // namespace

bool paintVector(QPaintDevice* device, QSize size, const PlotContent& content, const DrawStyle& style) {
    QCustomPlot plot;
    prepare(plot, size, content, style);
    QCPPainter painter;
    if (!painter.begin(device)) return false;
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    plot.toPainter(&painter, size.width(), size.height());
    return painter.end();
}

QImage paintImage(QSize size, const PlotContent& content, const DrawStyle& style) {
    QCustomPlot plot;
    prepare(plot, size, content, style);
    // Not QCustomPlot's own scale factor: with it, dense curves take seconds.
    return plot.toPixmap(size.width(), size.height(), 1.0).toImage();
}

}  // namespace owq
