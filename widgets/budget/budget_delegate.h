// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/layer_tree/heat_delegate.h"

namespace owq {

/// Editors of the budget table: a list for bits, a box with the right range for weak columns.
class BudgetDelegate : public HeatDelegate {
    Q_OBJECT
public:
    using HeatDelegate::HeatDelegate;
    QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void setEditorData(QWidget* editor, const QModelIndex& index) const override;
    void setModelData(QWidget* editor, QAbstractItemModel* model, const QModelIndex& index) const override;
};

}  // namespace owq
