// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAbstractTableModel>
#include <QHash>
#include <vector>

#include "widgets/budget/budget_row.h"

namespace owq {

/// The budget per linear. It shows what it is given: an edit is a wish (editWanted), and the rows that answer it come back by update().
class BudgetTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { nameColumn, bitsColumn, weakColumn, lockedColumn, effectiveColumn, errorColumn, columnTotal };
    enum class Field { bits, weakColumns, locked };
    Q_ENUM(Field)
    enum Role { sortRole = Qt::UserRole, heatRole, nameRole, mostRole };  ///< heatRole as in LayerTreeModel, for the same delegate

    using QAbstractTableModel::QAbstractTableModel;

    void setRows(std::vector<BudgetRow> rows);
    void update(const std::vector<BudgetRow>& rows);  ///< by name; unknown names are left out
    const std::vector<BudgetRow>& rows() const { return rows_; }
    const BudgetRow* find(const QString& name) const;
    int placeOf(const QString& name) const { return places_.value(name, -1); }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

Q_SIGNALS:
    void editWanted(const QString& name, owq::BudgetTableModel::Field field, int value);

private:
    QVariant display(const BudgetRow& row, int column) const;
    QVariant sortValue(const BudgetRow& row, int column) const;
    QVariant heat(double error) const;
    void measure();
    std::vector<BudgetRow> rows_;
    QHash<QString, int> places_;
    double least_ = 0, most_ = 0;  ///< of the predicted errors
};

}  // namespace owq
