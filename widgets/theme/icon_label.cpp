// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/icon_label.h"

#include <QPainter>

#include "widgets/theme/icon.h"

namespace owq {

IconLabel::IconLabel(int size, QWidget* parent) : QWidget(parent), size_(size) {
    setMinimumSize(size, size);
}

void IconLabel::setIcon(const QString& name, bool accent) {
    icon_ = themedIcon(name, accent);
    update();
}

void IconLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    icon_.paint(&painter, QRect((width() - size_) / 2, (height() - size_) / 2, size_, size_));
}

}  // namespace owq
