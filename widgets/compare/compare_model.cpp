// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/compare/compare_model.h"

#include <algorithm>
#include <cmath>

#include "widgets/common/format.h"
#include "widgets/layer_tree/layer_tree_model.h"
#include "widgets/plot/layer_curves.h"

namespace owq {

static_assert(int(CompareModel::heatRole) == int(LayerTreeModel::heatRole));

void CompareModel::setRows(std::vector<CompareRow> rows) {
    beginResetModel();
    rows_ = std::move(rows);
    most_ = 0;
    for (const CompareRow& row : rows_)
        if (const double d = std::abs(std::log(row.ratio())); std::isfinite(d)) most_ = std::max(most_, d);
    endResetModel();
}

int CompareModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : int(rows_.size()); }
int CompareModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : columnTotal; }

QVariant CompareModel::display(const CompareRow& row, int column) const {
    const auto bits = [](int b) { return b >= 16 ? tr("kept") : QString::number(b); };
    switch (column) {
        case nameColumn:
            return shortName(row.name);
        case bitsAColumn:
            return bits(row.bitsA);
        case bitsBColumn:
            return bits(row.bitsB);
        case weakAColumn:
            return QString::number(row.weakA);
        case weakBColumn:
            return QString::number(row.weakB);
        case sharedColumn:
            return QString::number(row.sharedWeak);
        case errorAColumn:
            return numberText(row.errorA, 3);
        case errorBColumn:
            return numberText(row.errorB, 3);
        default:
            return std::isfinite(row.ratio()) ? QVariant(QStringLiteral("×%1").arg(numberText(row.ratio(), 3))) : QVariant();
    }
}

QVariant CompareModel::sortValue(const CompareRow& row, int place, int column) const {
    const auto known = [](double v) { return std::isfinite(v) ? v : -1.0; };
    switch (column) {
        case nameColumn:
            return place;
        case bitsAColumn:
            return row.bitsA;
        case bitsBColumn:
            return row.bitsB;
        case weakAColumn:
            return row.weakA;
        case weakBColumn:
            return row.weakB;
        case sharedColumn:
            return row.sharedWeak;
        case errorAColumn:
            return known(row.errorA);
        case errorBColumn:
            return known(row.errorB);
        default:
            return known(std::abs(std::log(row.ratio())));
    }
}

QVariant CompareModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
    const CompareRow& row = rows_[size_t(index.row())];
    switch (role) {
        case Qt::DisplayRole:
            return display(row, index.column());
        case sortRole:
            return sortValue(row, index.row(), index.column());
        case heatRole: {
            const double d = std::abs(std::log(row.ratio()));
            return index.column() == ratioColumn && std::isfinite(d) && most_ > 0 ? QVariant(d / most_) : QVariant();
        }
        case nameRole:
        case Qt::ToolTipRole:
            return row.name;
        case Qt::TextAlignmentRole:
            return int((index.column() == nameColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
        default:
            return {};
    }
}

QVariant CompareModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnTotal) return {};
    static const char* names[] = {QT_TR_NOOP("Layer"),  QT_TR_NOOP("Bits A"),  QT_TR_NOOP("Bits B"),  QT_TR_NOOP("Weak A"), QT_TR_NOOP("Weak B"),
                                  QT_TR_NOOP("Shared"), QT_TR_NOOP("Error A"), QT_TR_NOOP("Error B"), QT_TR_NOOP("B / A")};
    static const char* tips[] = {QT_TR_NOOP("Linear layer; sorted by this column the order is that of the difference"),
                                 QT_TR_NOOP("Bits per weight in A"),
                                 QT_TR_NOOP("Bits per weight in B"),
                                 QT_TR_NOOP("Weak columns in A"),
                                 QT_TR_NOOP("Weak columns in B"),
                                 QT_TR_NOOP("Columns that are weak in both"),
                                 QT_TR_NOOP("Loss of the layer's output in A, on A's own inputs"),
                                 QT_TR_NOOP("Loss of the layer's output in B, on B's own inputs"),
                                 QT_TR_NOOP("Above 1: B is worse here. The bar is as long as the difference, either way")};
    if (role == Qt::DisplayRole) return tr(names[section]);
    if (role == Qt::ToolTipRole) return tr(tips[section]);
    if (role == Qt::TextAlignmentRole) return int((section == nameColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    return {};
}

}  // namespace owq
