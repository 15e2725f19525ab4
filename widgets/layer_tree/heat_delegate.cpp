// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/layer_tree/heat_delegate.h"

#include <QPainter>

#include "widgets/layer_tree/layer_tree_model.h"

namespace owq {

void HeatDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                         const QModelIndex& index) const {
    const QVariant heat = index.data(LayerTreeModel::heatRole);
    QStyledItemDelegate::paint(painter, option, index);  // the bar lies in the room below the text
    if (!heat.isValid()) return;
    const double share = qBound(0.0, heat.toDouble(), 1.0);
    const QRectF cell = QRectF(option.rect).adjusted(5, 0, -5, 0);
    const double height = 3;
    QRectF track(cell.left(), cell.bottom() - height - 1, cell.width(), height);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    const bool selected = option.state & QStyle::State_Selected;
    QColor faint = option.palette.color(QPalette::Mid);
    faint.setAlphaF(selected ? 0.35f : 0.55f);
    painter->setBrush(faint);
    painter->drawRoundedRect(track, height / 2, height / 2);
    // From the cool to the warm end of Okabe-Ito; the length says the same, so colour is never alone.
    const QColor cool(0x56, 0xb4, 0xe9), warm(0xd5, 0x5e, 0x00);
    const auto mix = [share](int a, int b) { return int(a + (b - a) * share); };
    painter->setBrush(selected ? QColor(Qt::white)
                               : QColor(mix(cool.red(), warm.red()), mix(cool.green(), warm.green()),
                                        mix(cool.blue(), warm.blue())));
    track.setWidth(std::max(height, track.width() * share));
    painter->drawRoundedRect(track, height / 2, height / 2);
    painter->restore();
}

QSize HeatDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    return QStyledItemDelegate::sizeHint(option, index) + QSize(0, 9);
}

}  // namespace owq
