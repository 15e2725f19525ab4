// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/figure_painter.h"

#include <QThread>
#include <utility>

#include "widgets/plot/qcustomplot.h"

namespace owq {
namespace {

// Being a widget, it is made and freed on the GUI thread. What it does to draw touches nothing of the widget, so that another thread may,
// as long as this one leaves it alone: it is never shown, and never redraws itself.
class Sheet : public QCustomPlot {
public:
    explicit Sheet(const DrawStyle& style) : style_(style) {
        mReplotting = true;  // the replot that every new QCustomPlot has waiting in the event loop finds one going on
        setPlottingHint(QCP::phCacheLabels, false);  // in pixmaps, which belong to the GUI thread
    }

    bool paint(QPaintDevice& device, QSize size) {
        QCPPainter painter;
        if (!painter.begin(&device)) return false;
        painter.setFont(style_.font);  // else what has no text is written with the application's
        // Not for pixels: it forbids fast polylines, and dense curves then take seconds.
        if (!style_.raster) painter.setModes(QCPPainter::pmVectorized | QCPPainter::pmNoCaching);
        setViewport(QRect(QPoint(), size));
        painter.fillRect(viewport(), style_.theme.background);
        draw(&painter);
        return painter.end();
    }

private:
    DrawStyle style_;
};

void release(Sheet* sheet) {
    if (sheet->thread() == QThread::currentThread())
        delete sheet;
    else
        sheet->deleteLater();
}

}  // namespace

FigurePainter contentPainter(std::shared_ptr<const PlotContent> content, QSize size, const DrawStyle& style) {
    const std::shared_ptr<Sheet> sheet(new Sheet(style), release);
    auto* drawing = new ContentDrawing(sheet.get());
    drawing->show(*content, style, {ContentDrawing::xLower(*content), ContentDrawing::xUpper(*content), content->yAll.lower, content->yAll.upper});
    drawing->wrapLegend(size.width());
    return [content = std::move(content), sheet, drawing, size](QPaintDevice& device) {
        drawing->fill();
        return sheet->paint(device, size);
    };
}

}  // namespace owq
