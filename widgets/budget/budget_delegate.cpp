// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/budget/budget_delegate.h"

#include <QComboBox>
#include <QSpinBox>

#include "widgets/budget/budget_table_model.h"

namespace owq {

QWidget* BudgetDelegate::createEditor(QWidget* parent, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    if (index.column() == BudgetTableModel::bitsColumn) {
        auto* list = new QComboBox(parent);
        for (const int bits : {2, 3, 4, 8}) list->addItem(QString::number(bits), bits);
        list->addItem(tr("keep"), BudgetRow::kKept);
        list->setAccessibleName(tr("Bits"));
        // A choice from the list is final: no Enter after it.
        auto* self = const_cast<BudgetDelegate*>(this);
        connect(list, &QComboBox::activated, self, [self, list] {
            Q_EMIT self->commitData(list);
            Q_EMIT self->closeEditor(list);
        });
        return list;
    }
    if (index.column() == BudgetTableModel::weakColumn) {
        auto* box = new QSpinBox(parent);
        box->setRange(0, index.data(BudgetTableModel::mostRole).toInt());
        box->setFrame(false);
        box->setAccessibleName(tr("Weak columns"));
        return box;
    }
    return HeatDelegate::createEditor(parent, option, index);
}

void BudgetDelegate::setEditorData(QWidget* editor, const QModelIndex& index) const {
    if (auto* list = qobject_cast<QComboBox*>(editor))
        list->setCurrentIndex(list->findData(index.data(Qt::EditRole).toInt()));
    else
        HeatDelegate::setEditorData(editor, index);
}

void BudgetDelegate::setModelData(QWidget* editor, QAbstractItemModel* model, const QModelIndex& index) const {
    if (auto* list = qobject_cast<QComboBox*>(editor))
        model->setData(index, list->currentData());
    else
        HeatDelegate::setModelData(editor, model, index);
}

}  // namespace owq
