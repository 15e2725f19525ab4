// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/plot_canvas.h"

#include <QApplication>
#include <cmath>

namespace owq {

PlotCanvas::PlotCanvas(QWidget* parent) : QCustomPlot(parent) {
    setFocusPolicy(Qt::NoFocus);  // the Plot around it takes the keyboard
    setMouseTracking(true);
    band_ = new QCPItemRect(this);
    band_->setLayer(QStringLiteral("overlay"));
    band_->setVisible(false);
    band_->setSelectable(false);
    for (QCPItemPosition* corner : {band_->topLeft, band_->bottomRight}) corner->setType(QCPItemPosition::ptAbsolute);
}

void PlotCanvas::setRubberBandColor(const QColor& color) {
    QColor fill = color;
    fill.setAlpha(40);
    band_->setPen(QPen(color, 1));
    band_->setBrush(fill);
}

void PlotCanvas::mousePressEvent(QMouseEvent* event) {
    start_ = last_ = event->position();
    moved_ = false;
    if (!axisRect()->outerRect().contains(start_.toPoint())) return event->ignore();
    const bool shifted = event->modifiers() & Qt::ShiftModifier;
    if (event->button() == Qt::MiddleButton || (event->button() == Qt::LeftButton && shifted)) {
        drag_ = Drag::Pan;
        setCursor(Qt::ClosedHandCursor);
    } else if (event->button() == Qt::LeftButton) {
        drag_ = grabs && grabs(start_) ? Drag::Handle : Drag::Zoom;
    }
    event->ignore();  // focus and context menu go on as usual
    if (drag_ != Drag::None) event->accept();
}

void PlotCanvas::mouseMoveEvent(QMouseEvent* event) {
    const QPointF to = event->position();
    if (drag_ == Drag::None) {
        setCursor(grabs ? grabs(to).value_or(Qt::ArrowCursor) : Qt::ArrowCursor);
        Q_EMIT hovered(to);
        return;
    }
    const bool first = !moved_;
    if (first && (to - start_).manhattanLength() < QApplication::startDragDistance()) return;
    moved_ = true;
    if (drag_ == Drag::Pan) Q_EMIT panned(to - last_, first);
    if (drag_ == Drag::Handle) Q_EMIT handleDragged(to, false);
    if (drag_ == Drag::Zoom) showBand(to);
    last_ = to;
}

void PlotCanvas::mouseReleaseEvent(QMouseEvent* event) {
    const Drag drag = std::exchange(drag_, Drag::None);
    if (drag == Drag::None) return event->ignore();
    unsetCursor();
    band_->setVisible(false);
    layer(QStringLiteral("overlay"))->replot();
    const QPointF to = event->position();
    if (!moved_) {
        if (event->button() == Qt::LeftButton) Q_EMIT clicked(to);
    } else if (drag == Drag::Zoom) {
        Q_EMIT rectangleChosen(chosen(to), directionOf(to));
    } else if (drag == Drag::Handle) {
        Q_EMIT handleDragged(to, true);
    }
}

void PlotCanvas::mouseDoubleClickEvent(QMouseEvent* event) { mousePressEvent(event); }

void PlotCanvas::wheelEvent(QWheelEvent* event) {
    const QPointF at = event->position();
    const int turn = event->angleDelta().y() ? event->angleDelta().y() : event->angleDelta().x();
    if (turn == 0 || !axisRect()->outerRect().contains(at.toPoint())) return event->ignore();
    const bool vertical = event->modifiers() & Qt::ControlModifier || at.x() < axisRect()->left();
    Q_EMIT wheelZoomed(at, std::pow(0.8, turn / 120.0), vertical ? Direction::Y : Direction::X);
    event->accept();
}

void PlotCanvas::leaveEvent(QEvent* event) {
    QCustomPlot::leaveEvent(event);
    Q_EMIT left();
}

// A drag that hardly leaves a line means that line's direction only.
PlotCanvas::Direction PlotCanvas::directionOf(QPointF to) const {
    const double width = std::abs(to.x() - start_.x()), height = std::abs(to.y() - start_.y());
    if (height < 12 && width > height) return Direction::X;
    return width < 12 ? Direction::Y : Direction::Both;
}

QRectF PlotCanvas::chosen(QPointF to) const {
    const QRectF area(axisRect()->rect());
    QRectF rectangle = QRectF(start_, to).normalized();
    const Direction direction = directionOf(to);
    if (direction == Direction::X) rectangle = {rectangle.left(), area.top(), rectangle.width(), area.height()};
    if (direction == Direction::Y) rectangle = {area.left(), rectangle.top(), area.width(), rectangle.height()};
    return rectangle.intersected(area);
}

void PlotCanvas::showBand(QPointF to) {
    const QRectF rectangle = chosen(to);
    band_->topLeft->setPixelPosition(rectangle.topLeft());
    band_->bottomRight->setPixelPosition(rectangle.bottomRight());
    band_->setVisible(true);
    layer(QStringLiteral("overlay"))->replot();
}

}  // namespace owq
