// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/figure_painter.h"

#include "widgets/plot/qcustomplot.h"

namespace owq {
namespace {

void prepare(QCustomPlot& plot, QSize size, const PlotContent& content, const DrawStyle& style) {
    auto* drawing = new ContentDrawing(&plot);
    drawing->show(content, style, {ContentDrawing::xLower(content), ContentDrawing::xUpper(content), content.yAll.lower, content.yAll.upper});
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
    DrawStyle pixels = style;
    pixels.raster = true;
    prepare(plot, size, content, pixels);
    // Through the widget's own buffers, not toPixmap: that one forbids fast polylines, and dense curves then take seconds.
    plot.setBufferDevicePixelRatio(1);
    plot.resize(size);
    QImage image(size, QImage::Format_RGB32);
    if (image.isNull()) return image;
    image.fill(style.theme.background);
    plot.render(&image);
    return image;
}

}  // namespace owq
