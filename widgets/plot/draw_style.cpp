// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/draw_style.h"

#include <QFontInfo>
#include <QWidget>
#include <algorithm>
#include <cmath>

#include "widgets/plot/qcustomplot.h"

namespace owq {

DrawStyle DrawStyle::onScreen(const QWidget& widget) {
    DrawStyle style;
    style.theme = PlotTheme::fromPalette(widget.palette());
    style.font = widget.font();
    style.font.setPixelSize(std::max(9, static_cast<int>(std::lround(QFontInfo(style.font).pixelSize() * 0.92))));
    return style;
}

QPen penOf(const QColor& color, double width, const QList<qreal>& dashes) {
    QPen pen(color, width);
    pen.setJoinStyle(Qt::RoundJoin);
    if (!dashes.isEmpty()) {
        pen.setDashPattern(dashes);
        pen.setCapStyle(Qt::FlatCap);
    }
    return pen;
}

void styleAxes(QCustomPlot& plot, QCPLegend& legend, const DrawStyle& style) {
    const double em = style.em();
    const auto units = [em](double share) { return std::max(1, static_cast<int>(std::lround(em * share))); };
    plot.setBackground(QBrush(style.theme.background));
    for (QCPAxis* axis : {plot.xAxis, plot.yAxis}) {
        const QPen pen = penOf(style.theme.axis, style.axis);
        axis->setBasePen(pen);
        axis->setTickPen(pen);
        axis->setSubTickPen(penOf(style.theme.axis, style.axis * (style.paper ? 0.75 : 1)));
        axis->setTickLength(0, units(0.35));
        axis->setSubTickLength(0, units(0.18));
        axis->setTickLabelFont(style.font);
        axis->setTickLabelColor(style.theme.text);
        axis->setLabelFont(style.font);
        axis->setLabelColor(style.theme.text);
        axis->setTickLabelPadding(units(0.3));
        axis->setLabelPadding(units(0.35));
        axis->setPadding(units(0.1));
        axis->grid()->setPen(penOf(style.theme.grid, style.axis * (style.paper ? 0.75 : 1)));
        axis->grid()->setZeroLinePen(Qt::NoPen);
        axis->grid()->setSubGridVisible(false);
    }
    plot.xAxis->grid()->setVisible(false);
    // On screen the plots of a group stand below each other: one left edge for all.
    plot.axisRect()->setMinimumMargins(QMargins(style.paper ? 0 : units(5.2), units(0.6), units(1.2), 0));
    plot.plotLayout()->setRowSpacing(0);
    legend.setFont(style.font);
    legend.setTextColor(style.theme.text);
    legend.setBrush(Qt::NoBrush);
    legend.setBorderPen(Qt::NoPen);
    legend.setIconSize(units(1.7), units(1.4));
    legend.setIconTextPadding(units(0.4));
    legend.setColumnSpacing(units(1.0));
    legend.setRowSpacing(units(0.15));
    legend.setMargins(QMargins(units(0.6), units(0.5), units(0.6), 0));
}

}  // namespace owq
