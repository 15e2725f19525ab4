// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/budget/budget_table_model.h"

#include <algorithm>
#include <cmath>

#include "widgets/common/format.h"
#include "widgets/layer_tree/layer_tree_model.h"
#include "widgets/plot/layer_curves.h"

namespace owq {

static_assert(int(BudgetTableModel::heatRole) == int(LayerTreeModel::heatRole));

void BudgetTableModel::setRows(std::vector<BudgetRow> rows) {
    beginResetModel();
    rows_ = std::move(rows);
    places_.clear();
    for (int i = 0; i < int(rows_.size()); ++i) places_.insert(rows_[size_t(i)].name, i);
    measure();
    endResetModel();
}

void BudgetTableModel::update(const std::vector<BudgetRow>& rows) {
    int first = int(rows_.size()), last = -1;
    for (const BudgetRow& row : rows) {
        const int i = placeOf(row.name);
        if (i < 0) continue;
        rows_[size_t(i)] = row;
        first = std::min(first, i);
        last = std::max(last, i);
    }
    if (last < 0) return;
    const double least = least_, most = most_;
    measure();
    Q_EMIT dataChanged(index(first, 0), index(last, columnTotal - 1));
    if (least != least_ || most != most_)
        Q_EMIT dataChanged(index(0, errorColumn), index(rowCount() - 1, errorColumn), {heatRole});
}

const BudgetRow* BudgetTableModel::find(const QString& name) const {
    const int i = placeOf(name);
    return i < 0 ? nullptr : &rows_[size_t(i)];
}

void BudgetTableModel::measure() {
    least_ = most_ = 0;
    for (const BudgetRow& row : rows_) {
        if (!(row.predictedError > 0)) continue;
        least_ = least_ == 0 ? row.predictedError : std::min(least_, row.predictedError);
        most_ = std::max(most_, row.predictedError);
    }
}

int BudgetTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : int(rows_.size()); }
int BudgetTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : columnTotal; }

QVariant BudgetTableModel::display(const BudgetRow& row, int column) const {
    switch (column) {
        case nameColumn:
            return shortName(row.name);
        case bitsColumn:
            return row.bits == BudgetRow::kKept ? tr("keep") : QString::number(row.bits);
        case weakColumn:
            return row.bits == BudgetRow::kKept ? QVariant() : QString::number(row.weakColumns);
        case effectiveColumn:
            return std::isnan(row.effectiveBits) ? QVariant() : QString::number(row.effectiveBits, 'f', 3);
        case errorColumn:
            return numberText(row.predictedError, 3);
        default:
            return {};
    }
}

QVariant BudgetTableModel::sortValue(const BudgetRow& row, int column) const {
    switch (column) {
        case nameColumn:
            return placeOf(row.name);
        case bitsColumn:
            return row.bits;
        case weakColumn:
            return row.weakColumns;
        case lockedColumn:
            return row.locked ? 1 : 0;
        case effectiveColumn:
            return row.effectiveBits;
        default:
            return std::isnan(row.predictedError) ? -1.0 : row.predictedError;
    }
}

QVariant BudgetTableModel::heat(double error) const {
    if (std::isnan(error) || most_ <= 0) return {};
    if (error <= 0) return 0.0;
    return most_ <= least_ ? 1.0 : std::log(error / least_) / std::log(most_ / least_);
}

QVariant BudgetTableModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
    const BudgetRow& row = rows_[size_t(index.row())];
    const int column = index.column();
    switch (role) {
        case Qt::DisplayRole:
            return display(row, column);
        case Qt::EditRole:
            return column == bitsColumn ? QVariant(row.bits) : column == weakColumn ? QVariant(row.weakColumns) : display(row, column);
        case sortRole:
            return sortValue(row, column);
        case heatRole:
            return column == errorColumn ? heat(row.predictedError) : QVariant();
        case nameRole:
            return row.name;
        case mostRole:
            return row.mostWeakColumns;
        case Qt::CheckStateRole:
            return column == lockedColumn ? QVariant(int(row.locked ? Qt::Checked : Qt::Unchecked)) : QVariant();
        case Qt::AccessibleTextRole:
            return column == lockedColumn ? (row.locked ? tr("locked") : tr("not locked")) : QVariant();
        case Qt::TextAlignmentRole:
            return int((column == nameColumn || column == lockedColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
        case Qt::ToolTipRole:
            return tr("%1\n%2 of at most %3 weak columns").arg(row.name).arg(row.weakColumns).arg(row.mostWeakColumns);
        default:
            return {};
    }
}

bool BudgetTableModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (!index.isValid() || !(flags(index) & (Qt::ItemIsEditable | Qt::ItemIsUserCheckable))) return false;
    const BudgetRow row = rows_[size_t(index.row())];
    if (index.column() == lockedColumn && role == Qt::CheckStateRole) {
        Q_EMIT editWanted(row.name, Field::locked, value.toInt() == Qt::Checked);
        return true;
    }
    bool fine = false;
    const int number = value.toInt(&fine);
    if (role != Qt::EditRole || !fine) return false;
    if (index.column() == bitsColumn) {
        if (number != 2 && number != 3 && number != 4 && number != 8 && number != BudgetRow::kKept) return false;
        Q_EMIT editWanted(row.name, Field::bits, number);
    } else {
        Q_EMIT editWanted(row.name, Field::weakColumns, std::clamp(number, 0, row.mostWeakColumns));
    }
    return true;
}

Qt::ItemFlags BudgetTableModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    if (!index.isValid()) return flags;
    const BudgetRow& row = rows_[size_t(index.row())];
    if (index.column() == lockedColumn) flags |= Qt::ItemIsUserCheckable;
    if (index.column() == bitsColumn || (index.column() == weakColumn && row.bits != BudgetRow::kKept && row.mostWeakColumns > 0))
        flags |= Qt::ItemIsEditable;
    return flags;
}

QVariant BudgetTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnTotal) return {};
    static const char* names[] = {QT_TR_NOOP("Layer"), QT_TR_NOOP("Bits"),   QT_TR_NOOP("Weak"),
                                  QT_TR_NOOP("Lock"),  QT_TR_NOOP("Stored"), QT_TR_NOOP("Predicted")};
    static const char* tips[] = {QT_TR_NOOP("Linear layer"),
                                 QT_TR_NOOP("Bits of each weight outside the weak columns; \"keep\" leaves the linear as it is"),
                                 QT_TR_NOOP("Weak columns: the most sensitive ones, kept in 16 bit"),
                                 QT_TR_NOOP("Set by hand: Allocate leaves it alone"),
                                 QT_TR_NOOP("Bits per weight with everything stored: weak columns, scales, zeros, indices"),
                                 QT_TR_NOOP("Predicted output error: half the sensitivity of all columns that are not weak. For other bits than "
                                            "those of the analysis it is scaled with the square of the grid's step.")};
    if (role == Qt::DisplayRole) return tr(names[section]);
    if (role == Qt::ToolTipRole) return tr(tips[section]);
    if (role == Qt::TextAlignmentRole)
        return int((section == nameColumn || section == lockedColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    return {};
}

}  // namespace owq
