// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/layer_tree/layer_view.h"

#include <QDrag>
#include <QLabel>
#include <QMimeData>
#include <QMouseEvent>

namespace owq {
namespace {

/// A plain click of the left button.
bool isPlain(const QEvent* event, QEvent::Type type) {
    if (!event || event->type() != type) return false;
    const auto* mouse = static_cast<const QMouseEvent*>(event);
    return mouse->button() == Qt::LeftButton && !(mouse->modifiers() & (Qt::ShiftModifier | Qt::ControlModifier));
}

}  // namespace

LayerView::LayerView(QWidget* parent) : QTreeView(parent) {
    setDragEnabled(true);
    setDragDropMode(QAbstractItemView::DragOnly);
}

QItemSelectionModel::SelectionFlags LayerView::selectionCommand(const QModelIndex& index, const QEvent* event) const {
    if (index.isValid() && isPlain(event, QEvent::MouseButtonPress)) return QItemSelectionModel::NoUpdate;
    if (index.isValid() && isPlain(event, QEvent::MouseButtonRelease) && pressed_.isValid() && pressed_.row() == index.row() && pressed_.parent() == index.parent())
        return QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows;
    return QTreeView::selectionCommand(index, event);
}

void LayerView::mousePressEvent(QMouseEvent* event) {
    pressed_ = indexAt(event->position().toPoint());
    QTreeView::mousePressEvent(event);
}

void LayerView::startDrag(Qt::DropActions) {
    const QModelIndex row = pressed_.isValid() ? pressed_.sibling(pressed_.row(), 0) : QModelIndex();
    if (!row.isValid()) return;
    const bool selected = selectionModel()->isSelected(row);
    QMimeData* data = model()->mimeData(selected ? selectionModel()->selectedRows() : QModelIndexList{row});
    if (!data) return;
    auto* drag = new QDrag(this);
    drag->setMimeData(data);
    // A small label tells what is on its way; a picture of wide rows would hide the plots.
    const QStringList names = data->text().split(QLatin1Char('\n'));
    QLabel label(names.size() == 1 ? names.first() : tr("%n layers", nullptr, int(names.size())));
    label.setMargin(6);
    label.setFrameShape(QFrame::StyledPanel);
    drag->setPixmap(label.grab());
    drag->setHotSpot({-12, -8});
    drag->exec(Qt::CopyAction);
}

}  // namespace owq
