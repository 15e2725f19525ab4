// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/plot_table_model.h"

#include <algorithm>

namespace owq {

void PlotTableModel::setContent(const PlotContent* content) {
    beginResetModel();
    content_ = content;
    firstRow_.assign(1, 0);
    if (content_)
        for (const PlotBlock& block : content_->blocks)
            firstRow_.push_back(firstRow_.back() + static_cast<int>(block.column.size()));
    endResetModel();
}

void PlotTableModel::weakChanged() {
    const int last = columnCount() - 1;
    if (rowCount() > 0) Q_EMIT dataChanged(index(0, last), index(rowCount() - 1, last));
}

int PlotTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || firstRow_.empty() ? 0 : firstRow_.back();
}

int PlotTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() || !content_ ? 0 : 4 + static_cast<int>(content_->values.size());
}

PlotTableModel::Place PlotTableModel::placeOf(int row) const {
    const auto next = std::upper_bound(firstRow_.begin(), firstRow_.end(), row);
    const auto block = static_cast<int>(next - firstRow_.begin()) - 1;
    return {block, row - firstRow_[static_cast<size_t>(block)]};
}

QVariant PlotTableModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid) || !content_) return {};
    if (role == Qt::TextAlignmentRole) return QVariant(index.column() == 0 ? Qt::AlignLeft | Qt::AlignVCenter : Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole) return {};
    const Place place = placeOf(index.row());
    const PlotBlock& block = content_->blocks[static_cast<size_t>(place.block)];
    const auto position = static_cast<size_t>(place.position);
    const int value = index.column() - 3;
    if (index.column() == 0) return block.name;
    if (index.column() == 1) return block.column[position];
    if (index.column() == 2) return place.position;
    if (value == static_cast<int>(content_->values.size())) return block.weak[position] ? QStringLiteral("weak") : QString();
    const auto v = static_cast<size_t>(value);
    return block.hasValue(v) ? QVariant(cellText(block.values[v][position])) : QVariant();
}

QVariant PlotTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole || !content_) return {};
    if (orientation == Qt::Vertical) return section + 1;
    const QStringList header = tableHeader(*content_);
    return section >= 0 && section < header.size() ? QVariant(header[section]) : QVariant();
}

}  // namespace owq
