// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QTreeView>

namespace owq {

/// The tree's view. Rows can be dragged: a plain press changes the selection only when it is let go, so that what is dragged onto the plots does
/// not first replace what they show. Dragging a row that is not selected drags it alone, a selected one all that are.
class LayerView : public QTreeView {
    Q_OBJECT
public:
    explicit LayerView(QWidget* parent = nullptr);

protected:
    QItemSelectionModel::SelectionFlags selectionCommand(const QModelIndex& index, const QEvent* event) const override;
    void mousePressEvent(QMouseEvent* event) override;
    void startDrag(Qt::DropActions actions) override;

private:
    QPersistentModelIndex pressed_;
};

}  // namespace owq
