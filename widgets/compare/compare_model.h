// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAbstractTableModel>
#include <vector>

#include "widgets/compare/compare_row.h"

namespace owq {

/// Two runs linear by linear, in the order given: where they differ most first.
class CompareModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { nameColumn, bitsAColumn, bitsBColumn, weakAColumn, weakBColumn, sharedColumn, errorAColumn, errorBColumn, ratioColumn, columnTotal };
    enum Role { sortRole = Qt::UserRole, heatRole, nameRole };  ///< heatRole as in LayerTreeModel, for the same delegate
    using QAbstractTableModel::QAbstractTableModel;

    void setRows(std::vector<CompareRow> rows);
    const std::vector<CompareRow>& rows() const { return rows_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    QVariant display(const CompareRow& row, int column) const;
    QVariant sortValue(const CompareRow& row, int place, int column) const;
    std::vector<CompareRow> rows_;
    double most_ = 0;  ///< largest finite |ln ratio|
};

}  // namespace owq
