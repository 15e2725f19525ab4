// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/start_page/drop_area.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include "widgets/theme/theme.h"

namespace owq {

DropArea::DropArea(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setAttribute(Qt::WA_Hover);
}

void DropArea::setDropping(bool dropping) {
    dropping_ = dropping;
    update();
}

void DropArea::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const bool lit = dropping_ || underMouse() || hasFocus();
    QColor fill = lit ? Theme::accent(palette()) : palette().color(QPalette::Base);
    if (lit) fill.setAlphaF(dropping_ ? 0.16f : 0.06f);
    QPen pen(lit ? Theme::accent(palette()) : palette().color(QPalette::Dark), 1.5);
    if (!lit && Theme::isDark(palette())) pen.setColor(palette().color(QPalette::Light));
    pen.setDashPattern({5, 4});
    painter.setPen(pen);
    painter.setBrush(fill);
    painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 14, 14);
}

void DropArea::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && rect().contains(event->pos())) Q_EMIT clicked();
}

void DropArea::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space)
        return Q_EMIT clicked();
    QWidget::keyPressEvent(event);
}

}  // namespace owq
