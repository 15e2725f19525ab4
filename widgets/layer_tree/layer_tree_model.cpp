// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/layer_tree/layer_tree_model.h"

#include <QHash>
#include <algorithm>
#include <cmath>

#include "widgets/common/format.h"
#include "widgets/common/layer_mime.h"
#include "widgets/common/tsv.h"

namespace owq {
namespace {

// A block's index carries 0, a linear's its block's place + 1.
constexpr quintptr kBlock = 0;

/// How far the two runs of a comparison are apart: |ln (B / A)|.
double difference(const LayerRow& row) {
    return row.error > 0 && row.otherError > 0 ? std::abs(std::log(row.otherError / row.error)) : LayerRow::kUnknown;
}

QString shortName(const LayerRow& row) {
    const QString stem = QStringLiteral(".%1.").arg(row.block);
    const int at = row.name.indexOf(stem);
    return at < 0 ? row.name : row.name.mid(at + stem.size());
}

}  // namespace

void LayerTreeModel::setRows(std::vector<LayerRow> rows) {
    beginResetModel();
    rows_ = std::move(rows);
    blocks_.clear();
    places_.clear();
    for (int i = 0; i < int(rows_.size()); ++i) {
        if (blocks_.empty() || blocks_.back().number != rows_[i].block)
            blocks_.push_back({rows_[i].block, {}});
        places_.insert(rows_[i].name, {int(blocks_.size()) - 1, int(blocks_.back().rows.size())});
        blocks_.back().rows.push_back(i);
    }
    measure();
    endResetModel();
}

void LayerTreeModel::update(const LayerRow& row) {
    update(std::vector<LayerRow>{row});
}

void LayerTreeModel::update(const std::vector<LayerRow>& rows) {
    bool any = false;
    for (const LayerRow& row : rows) {
        const auto place = places_.constFind(row.name);
        if (place == places_.constEnd()) continue;
        rows_[blocks_[place->first].rows[place->second]] = row;
        any = true;
    }
    if (!any) return;
    measure();
    // The heat of every row depends on the range, so all of them are painted again.
    Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnTotal - 1));
    for (int b = 0; b < rowCount(); ++b) {
        const QModelIndex block = index(b, 0);
        Q_EMIT dataChanged(index(0, 0, block), index(rowCount(block) - 1, columnTotal - 1, block));
    }
}

const LayerRow* LayerTreeModel::find(const QString& name) const {
    const auto place = places_.constFind(name);
    return place == places_.constEnd() ? nullptr : &rows_[blocks_[place->first].rows[place->second]];
}

QModelIndex LayerTreeModel::indexOf(const QString& name) const {
    const auto place = places_.constFind(name);
    return place == places_.constEnd() ? QModelIndex() : index(place->second, 0, index(place->first, 0));
}

QStringList LayerTreeModel::kinds() const {
    QStringList kinds;
    for (const LayerRow& row : rows_)
        if (!kinds.contains(row.kind)) kinds << row.kind;
    return kinds;
}

QModelIndex LayerTreeModel::index(int row, int column, const QModelIndex& parent) const {
    if (!hasIndex(row, column, parent)) return {};
    return createIndex(row, column, parent.isValid() ? quintptr(parent.row()) + 1 : kBlock);
}

QModelIndex LayerTreeModel::parent(const QModelIndex& index) const {
    if (!index.isValid() || index.internalId() == kBlock) return {};
    return createIndex(int(index.internalId()) - 1, 0, kBlock);
}

int LayerTreeModel::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) return int(blocks_.size());
    if (parent.internalId() != kBlock || parent.column() != 0) return 0;
    return int(blocks_[parent.row()].rows.size());
}

int LayerTreeModel::columnCount(const QModelIndex&) const {
    return columnTotal;
}

QVariant LayerTreeModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    if (role == Qt::TextAlignmentRole)
        return int((index.column() >= bitsColumn ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (index.internalId() == kBlock) return blockData(blocks_[index.row()], index.column(), role);
    return rowData(rows_[blocks_[index.internalId() - 1].rows[index.row()]], index.column(), role);
}

QVariant LayerTreeModel::blockData(const Block& block, int column, int role) const {
    double sensitivity = 0, error = 0;
    double otherError = 0, most = -1;
    for (int i : block.rows) {
        sensitivity += rows_[i].sensitivity, error += rows_[i].error, otherError += rows_[i].otherError;
        most = std::max(most, difference(rows_[i]));  // NaN leaves it
    }
    if (role == sortRole) {
        // A block's heading sorts by its sums, and by its place where there are none.
        if (column == sensitivityColumn && !std::isnan(sensitivity)) return sensitivity;
        if (column == errorColumn && !std::isnan(error)) return error;
        if (column == otherErrorColumn && !std::isnan(otherError)) return otherError;
        if (column == ratioColumn && most >= 0) return most;
        return block.number;
    }
    if (role == nameRole) return QString();
    if (role != Qt::DisplayRole) return {};
    switch (column) {
        case nameColumn:
            return tr("Block %1").arg(block.number);
        case sensitivityColumn:
            return numberText(sensitivity, 3);
        case errorColumn:
            return numberText(error, 3);
        case otherErrorColumn:
            return numberText(otherError, 3);
        case ratioColumn:
            return error > 0 && otherError > 0 ? QVariant(QStringLiteral("×%1").arg(numberText(otherError / error, 3))) : QVariant();
        default:
            return {};
    }
}

QStringList LayerTreeModel::sharing(const LayerRow& row) const {
    QStringList names;
    const auto place = places_.constFind(row.name);
    if (place == places_.constEnd() || row.inputGroup.isEmpty()) return names;
    for (const int i : blocks_[place->first].rows)
        if (rows_[i].inputGroup == row.inputGroup && rows_[i].name != row.name) names << shortName(rows_[i]);
    return names;
}

QVariant LayerTreeModel::rowData(const LayerRow& row, int column, int role) const {
    if (role == nameRole) return row.name;
    if (role == kindRole) return row.kind;
    if (role == kCopyRole) return column == nameColumn ? QVariant(row.name) : QVariant();  // without its block above it a short name says too little
    if (role == Qt::ToolTipRole) {
        QString tip =
            QStringLiteral("%1\n%2 × %3 %4").arg(row.name).arg(row.rows).arg(row.columns).arg(row.dtype);
        if (const QStringList others = sharing(row); !others.isEmpty())
            tip += QLatin1Char('\n') + tr("Same input and Hessian as %1").arg(others.join(QStringLiteral(", ")));
        if (row.weakColumns >= 0)
            tip += QLatin1Char('\n') + (row.quantized
                                            ? tr("%n weak columns kept", nullptr, row.weakColumns)
                                            : tr("%n weak columns planned", nullptr, row.weakColumns));
        return row.note.isEmpty() ? tip : tip + QLatin1Char('\n') + row.note;
    }
    if (role == heatRole) {
        if (column == sensitivityColumn) return heat(row.sensitivity, sensitivity_);
        if (column == errorColumn) return heat(row.error, error_);
        if (column == otherErrorColumn) return heat(row.otherError, error_);
        const double d = difference(row);
        return column == ratioColumn && !std::isnan(d) && mostDifferent_ > 0 ? QVariant(d / mostDifferent_) : QVariant();
    }
    if (role != Qt::DisplayRole && role != sortRole) return {};
    const bool sorting = role == sortRole;
    const auto number = [](double v) { return std::isnan(v) ? -1.0 : v; };
    switch (column) {
        case nameColumn:
            return sorting ? QVariant(places_.value(row.name).second) : shortName(row);
        case kindColumn:
            return row.kind;
        case shapeColumn:
            return sorting ? QVariant(row.rows * row.columns)
                           : QStringLiteral("%1 × %2").arg(row.rows).arg(row.columns);
        case dtypeColumn:
            return row.dtype;
        case bitsColumn:
            return sorting ? QVariant(row.bits) : row.bits < 0 ? QVariant() : QString::number(row.bits);
        case weakColumn:
            return sorting               ? QVariant(row.weakColumns)
                   : row.weakColumns < 0 ? QVariant()
                                         : QString::number(row.weakColumns);
        case sensitivityColumn:
            return sorting ? QVariant(number(row.sensitivity)) : numberText(row.sensitivity, 3);
        case errorColumn:
            return sorting ? QVariant(number(row.error)) : numberText(row.error, 3);
        case otherErrorColumn:
            return sorting ? QVariant(number(row.otherError)) : numberText(row.otherError, 3);
        case ratioColumn:
            if (sorting) return number(difference(row));
            return std::isnan(difference(row)) ? QVariant() : QStringLiteral("×%1").arg(numberText(row.otherError / row.error, 3));
        default:
            return {};
    }
}

QVariant LayerTreeModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    static const char* names[] = {QT_TR_NOOP("Layer"),       QT_TR_NOOP("Kind"), QT_TR_NOOP("Shape"),
                                  QT_TR_NOOP("Type"),        QT_TR_NOOP("Bits"), QT_TR_NOOP("Weak"),
                                  QT_TR_NOOP("Sensitivity"), QT_TR_NOOP("Error"), QT_TR_NOOP("Error B"), QT_TR_NOOP("B / A")};
    static const char* tips[] = {
        QT_TR_NOOP("Linear layers by transformer block"),
        QT_TR_NOOP("Role in the block: q, k, v, o, gate, up, down"),
        QT_TR_NOOP("Output rows × input columns"),
        QT_TR_NOOP("Number type in the checkpoint"),
        QT_TR_NOOP("Bits per weight outside the weak columns"),
        QT_TR_NOOP("Weak columns: kept in 16 bit (planned in the budget, or kept by the run that is shown)"),
        QT_TR_NOOP("Sum over columns of Hessian diagonal × quantization error"),
        QT_TR_NOOP("Loss of the layer's output after quantization"),
        QT_TR_NOOP("The same in the run it is compared with"),
        QT_TR_NOOP("Above 1: B is worse here. Sorted, the layers that differ most come first")};
    if (section < 0 || section >= columnTotal) return {};
    if (role == Qt::DisplayRole) return tr(names[section]);
    if (role == Qt::ToolTipRole) return tr(tips[section]);
    if (role == Qt::TextAlignmentRole)
        return int((section >= bitsColumn ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    return {};
}

Qt::ItemFlags LayerTreeModel::flags(const QModelIndex& index) const {
    return index.isValid() ? QAbstractItemModel::flags(index) | Qt::ItemIsDragEnabled : Qt::NoItemFlags;
}

QStringList LayerTreeModel::mimeTypes() const {
    return {QLatin1String(kLayersType), QStringLiteral("text/plain")};
}

QMimeData* LayerTreeModel::mimeData(const QModelIndexList& indexes) const {
    QStringList names;
    const auto add = [&names](const QString& name) {
        if (!names.contains(name)) names << name;
    };
    for (const QModelIndex& index : indexes) {
        if (!index.isValid()) continue;
        if (index.internalId() == kBlock)
            for (const int i : blocks_[size_t(index.row())].rows) add(rows_[size_t(i)].name);
        else
            add(index.data(nameRole).toString());
    }
    if (names.isEmpty()) return nullptr;
    auto* data = new QMimeData;
    const QString text = names.join(QLatin1Char('\n'));
    data->setData(QLatin1String(kLayersType), text.toUtf8());
    data->setText(text);
    return data;
}

QVariant LayerTreeModel::heat(double value, const Range& range) const {
    if (std::isnan(value) || range.high <= 0) return {};
    if (value <= 0) return 0.0;
    if (range.high <= range.low) return 1.0;
    return std::log(value / range.low) / std::log(range.high / range.low);
}

void LayerTreeModel::measure() {
    const auto range = [this](double LayerRow::*member) {
        Range r{0, 0};
        for (const LayerRow& row : rows_) {
            const double v = row.*member;
            if (!(v > 0)) continue;
            r.low = r.low == 0 ? v : std::min(r.low, v);
            r.high = std::max(r.high, v);
        }
        return r;
    };
    sensitivity_ = range(&LayerRow::sensitivity);
    error_ = range(&LayerRow::error);
    mostDifferent_ = 0;
    for (const LayerRow& row : rows_) mostDifferent_ = std::max(mostDifferent_, difference(row));
}

}  // namespace owq
