// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/results/results_model.h"

#include <QFont>
#include <cmath>

#include "widgets/common/format.h"

namespace owq {

void ResultsModel::clear() {
    beginResetModel();
    rows_.clear();
    texts_.clear();
    endResetModel();
}

int ResultsModel::placeOf(const QString& path) const {
    for (int i = 0; i < int(rows_.size()); ++i)
        if (rows_[i].path == path) return i;
    return -1;
}

const ResultRow* ResultsModel::find(const QString& path) const {
    const int i = placeOf(path);
    return i < 0 ? nullptr : &rows_[i];
}

void ResultsModel::addTexts(const ResultRow& row) {
    for (auto it = row.perplexity.cbegin(); it != row.perplexity.cend(); ++it) {
        if (texts_.contains(it.key())) continue;
        beginInsertColumns({}, columnCount(), columnCount());
        texts_ << it.key();
        endInsertColumns();
    }
}

void ResultsModel::put(const ResultRow& row) {
    addTexts(row);
    const int i = placeOf(row.path);
    if (i < 0) {
        const int at = row.original ? 0 : int(rows_.size());
        beginInsertRows({}, at, at);
        rows_.insert(rows_.begin() + at, row);
        endInsertRows();
        return;
    }
    QMap<QString, double> measured = rows_[i].perplexity;
    rows_[i] = row;
    for (auto it = row.perplexity.cbegin(); it != row.perplexity.cend(); ++it)
        measured.insert(it.key(), it.value());
    rows_[i].perplexity = measured;
    Q_EMIT dataChanged(index(i, 0), index(i, columnCount() - 1));
}

void ResultsModel::remove(const QString& path) {
    const int i = placeOf(path);
    if (i < 0) return;
    beginRemoveRows({}, i, i);
    rows_.erase(rows_.begin() + i);
    endRemoveRows();
}

void ResultsModel::setPerplexity(const QString& path, const QString& text, double value) {
    const int i = placeOf(path);
    if (i < 0) return;
    rows_[i].perplexity.insert(text, value);
    addTexts(rows_[i]);
    Q_EMIT dataChanged(index(0, fixedColumns), index(rowCount() - 1, columnCount() - 1));
}

int ResultsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(rows_.size());
}
int ResultsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : fixedColumns + int(texts_.size());
}

QVariant ResultsModel::value(const ResultRow& row, int column, bool sorting) const {
    const auto number = [sorting](double v, QString text) -> QVariant {
        if (sorting) return std::isnan(v) ? QVariant() : QVariant(v);
        return std::isnan(v) ? QVariant() : QVariant(text);
    };
    switch (column) {
        case nameColumn:
            return row.name;
        case stateColumn:
            return row.state;
        case methodColumn:
            return row.method;
        case targetColumn:
            return number(row.targetBits, QString::number(row.targetBits, 'g', 4));
        case paperColumn:
            return number(row.paperBits, QString::number(row.paperBits, 'f', 3));
        case storedColumn:
            return number(row.storedBits, QString::number(row.storedBits, 'f', 3));
        case sizeColumn:
            return number(row.bytes, bytesText(row.bytes));
        case timeColumn:
            return number(row.seconds, durationText(row.seconds));
        case memoryColumn:
            return number(row.memory, bytesText(row.memory));
    }
    const QString& text = texts_[column - fixedColumns];
    if (!row.perplexity.contains(text)) return {};
    const double perplexity = row.perplexity.value(text);
    if (sorting) return perplexity;
    QString shown = QString::number(perplexity, 'f', perplexity < 1000 ? 3 : 0);
    // What the quantization costs, beside every run, where the original was measured on the same text.
    if (!row.original)
        for (const ResultRow& other : rows_)
            if (other.original && other.perplexity.contains(text))
                shown +=
                    QStringLiteral("  (%1%2)")
                        .arg(perplexity >= other.perplexity.value(text) ? QStringLiteral("+") : QString())
                        .arg(perplexity - other.perplexity.value(text), 0, 'f', 3);
    return shown;
}

QVariant ResultsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const ResultRow& row = rows_[index.row()];
    switch (role) {
        case Qt::DisplayRole:
        case Qt::EditRole:
            return value(row, index.column(), false);
        case sortRole:
            return value(row, index.column(), true);
        case pathRole:
            return row.path;
        case Qt::ToolTipRole:
            return row.path;
        case Qt::TextAlignmentRole:
            return int((index.column() >= targetColumn ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
        case Qt::FontRole: {
            QFont font;
            font.setItalic(row.original && index.column() == nameColumn);
            return font;
        }
        default:
            return {};
    }
}

bool ResultsModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    const QString name = value.toString().trimmed();
    if (!index.isValid() || index.column() != nameColumn || role != Qt::EditRole || name.isEmpty())
        return false;
    rows_[index.row()].name = name;
    Q_EMIT dataChanged(index, index);
    Q_EMIT renamed(rows_[index.row()].path, name);
    return true;
}

Qt::ItemFlags ResultsModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    if (index.isValid() && index.column() == nameColumn) flags |= Qt::ItemIsEditable;
    return flags;
}

QVariant ResultsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
    if (role == Qt::TextAlignmentRole)
        return int((section >= targetColumn ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (section >= fixedColumns) {
        if (role == Qt::DisplayRole) return tr("Perplexity: %1").arg(texts_[section - fixedColumns]);
        if (role == Qt::ToolTipRole) return tr("Lower is better; in brackets the difference to the original");
        return {};
    }
    static const char* names[] = {
        QT_TR_NOOP("Name"),        QT_TR_NOOP("State"),      QT_TR_NOOP("Method"),
        QT_TR_NOOP("Target bits"), QT_TR_NOOP("Paper bits"), QT_TR_NOOP("Stored bits"),
        QT_TR_NOOP("Size"),        QT_TR_NOOP("Time"),       QT_TR_NOOP("Memory")};
    static const char* tips[] = {
        QT_TR_NOOP("Double-click to give a name of your own"),
        QT_TR_NOOP("Whether the run is finished"),
        QT_TR_NOOP("How the weights were quantized"),
        QT_TR_NOOP("Average bits per weight aimed at"),
        QT_TR_NOOP("Bits per weight as the paper counts: weights and weak columns"),
        QT_TR_NOOP("Bits per weight with everything stored: scales, zeros and indices too"),
        QT_TR_NOOP("Size of the model's file"),
        QT_TR_NOOP("How long the run took"),
        QT_TR_NOOP("Peak memory of the run")};
    if (role == Qt::DisplayRole) return tr(names[section]);
    if (role == Qt::ToolTipRole) return tr(tips[section]);
    return {};
}

}  // namespace owq
