// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <optional>

#include "widgets/plot/qcustomplot.h"

namespace owq {

// The drawing surface of a Plot: turns mouse and wheel into zoom, pan, hover and click in plot coordinates. It changes no range itself.
class PlotCanvas : public QCustomPlot {
    Q_OBJECT
public:
    explicit PlotCanvas(QWidget* parent = nullptr);

    enum class Direction { X, Y, Both };
    bool isDragging() const { return drag_ != Drag::None; }
    void setRubberBandColor(const QColor& color);
    // Asked at each move and press: the cursor over a thing that is moved by dragging (the cut) instead of zooming; none elsewhere.
    std::function<std::optional<Qt::CursorShape>(QPointF)> grabs;

Q_SIGNALS:
    void hovered(QPointF pixel);
    void left();
    void clicked(QPointF pixel);
    void rectangleChosen(QRectF pixels, owq::PlotCanvas::Direction direction);
    void wheelZoomed(QPointF pixel, double factor, owq::PlotCanvas::Direction direction);
    void panned(QPointF delta, bool first);
    void handleDragged(QPointF pixel, bool finished);

protected:
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    enum class Drag { None, Zoom, Pan, Handle };
    Direction directionOf(QPointF to) const;
    QRectF chosen(QPointF to) const;
    void showBand(QPointF to);

    Drag drag_ = Drag::None;
    bool moved_ = false;
    QPointF start_, last_;
    QCPItemRect* band_;
};

}  // namespace owq
