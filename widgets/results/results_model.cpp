// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/results/results_model.h"

#include <QFont>
#include <algorithm>
#include <cmath>

#include "widgets/common/format.h"

namespace owq {
namespace {
bool isNumber(int column) { return column >= ResultsModel::targetColumn && column != ResultsModel::noteColumn; }
}  // namespace

void ResultsModel::clear() {
    beginResetModel();
    rows_.clear();
    measured_.clear();
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

const QMap<QString, double>& ResultsModel::valuesOf(const ResultRow& row, Measure what) {
    switch (what) {
        case Measure::perplexity: return row.perplexity;
        case Measure::kl: return row.kl;
        case Measure::top1: return row.top1;
        case Measure::accuracy: return row.accuracy;
        case Measure::byLength: break;
    }
    return row.byLength;
}

void ResultsModel::addTexts(const ResultRow& row) {
    for (const Measure what : {Measure::perplexity, Measure::kl, Measure::top1, Measure::accuracy, Measure::byLength}) {
        const QStringList texts = valuesOf(row, what).keys();
        for (const QString& text : texts) {
            const Measured column{what, text};
            if (std::find(measured_.begin(), measured_.end(), column) != measured_.end()) continue;
            beginInsertColumns({}, columnCount(), columnCount());
            measured_.push_back(column);
            endInsertColumns();
        }
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
    Measurements all = rows_[i];
    all.insert(row);
    rows_[i] = row;
    rows_[i].insert(all);
    Q_EMIT dataChanged(index(i, 0), index(i, columnCount() - 1));
}

void ResultsModel::remove(const QString& path) {
    const int i = placeOf(path);
    if (i < 0) return;
    beginRemoveRows({}, i, i);
    rows_.erase(rows_.begin() + i);
    endRemoveRows();
}

void ResultsModel::add(const QString& path, const Measurements& measured) {
    const int i = placeOf(path);
    if (i < 0) return;
    rows_[i].insert(measured);
    addTexts(rows_[i]);
    // In all rows: they show the difference to the original.
    Q_EMIT dataChanged(index(0, fixedColumns), index(rowCount() - 1, columnCount() - 1));
}

int ResultsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(rows_.size());
}
int ResultsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : fixedColumns + int(measured_.size());
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
        case noteColumn:
            return row.note;
    }
    const Measured& measured = measured_[size_t(column - fixedColumns)];
    const QMap<QString, double>& values = valuesOf(row, measured.what);
    if (!values.contains(measured.text)) return {};
    return sorting ? QVariant(values.value(measured.text)) : measuredText(row, measured);
}

QString ResultsModel::measuredText(const ResultRow& row, const Measured& column) const {
    const double value = valuesOf(row, column.what).value(column.text);
    const auto plusMinus = [&column](const QMap<QString, double>& errors, auto write) {
        return errors.contains(column.text) ? QStringLiteral(" ± ") + write(errors.value(column.text)) : QString();
    };
    const auto share = [](double v) { return QString::number(100 * v, 'f', 1); };
    switch (column.what) {
        case Measure::kl: return numberText(value, 3) + plusMinus(row.klError, [](double v) { return numberText(v, 2); });
        case Measure::top1: return share(value) + QStringLiteral(" %");
        case Measure::accuracy: return share(value) + plusMinus(row.accuracyError, share) + QStringLiteral(" %");
        case Measure::byLength: return share(value) + plusMinus(row.byLengthError, share) + QStringLiteral(" %");
        case Measure::perplexity: break;
    }
    QString shown = QString::number(value, 'f', value < 1000 ? 3 : 0);
    // What the quantization costs, beside every run, where the original was measured on the same text.
    if (row.original) return shown;
    for (const ResultRow& other : rows_)
        if (other.original && other.perplexity.contains(column.text)) {
            const double difference = value - other.perplexity.value(column.text);
            shown += QStringLiteral("  (%1%2)").arg(difference >= 0 ? QStringLiteral("+") : QString()).arg(difference, 0, 'f', 3);
        }
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
        case Qt::ToolTipRole: {
            const QString details = index.column() < fixedColumns ? QString() : row.details.value(measured_[size_t(index.column() - fixedColumns)].text);
            return details.isEmpty() ? row.path : details;
        }
        case Qt::TextAlignmentRole:
            return int((isNumber(index.column()) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
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
    const QString text = value.toString().trimmed();
    if (!index.isValid() || role != Qt::EditRole) return false;
    ResultRow& row = rows_[index.row()];
    if (index.column() == noteColumn) {
        row.note = text;
        Q_EMIT dataChanged(index, index);
        Q_EMIT noted(row.path, text);
        return true;
    }
    if (index.column() != nameColumn || text.isEmpty()) return false;
    row.name = text;
    Q_EMIT dataChanged(index, index);
    Q_EMIT renamed(row.path, text);
    return true;
}

Qt::ItemFlags ResultsModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    if (index.isValid() && (index.column() == nameColumn || index.column() == noteColumn)) flags |= Qt::ItemIsEditable;
    return flags;
}

QVariant ResultsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
    if (role == Qt::TextAlignmentRole)
        return int((isNumber(section) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (section >= fixedColumns) {
        const Measured& column = measured_[size_t(section - fixedColumns)];
        const char* titles[] = {QT_TR_NOOP("Perplexity: %1"), QT_TR_NOOP("KL: %1"), QT_TR_NOOP("Top-1: %1"), QT_TR_NOOP("Right: %1"), QT_TR_NOOP("Right by length: %1")};
        const char* about[] = {QT_TR_NOOP("Lower is better; in brackets the difference to the original"),
                               QT_TR_NOOP("Divergence of the predictions from the original's, nats per token; 0 is equal"),
                               QT_TR_NOOP("Share of the positions at which the most likely next token is the original's"),
                               QT_TR_NOOP("Share of the questions that are answered rightly, and its standard error"),
                               QT_TR_NOOP("The same by log-likelihood over characters, so that short answers are not preferred")};
        if (role == Qt::DisplayRole) return tr(titles[int(column.what)]).arg(column.text);
        if (role == Qt::ToolTipRole) return tr(about[int(column.what)]);
        return {};
    }
    static const char* names[] = {
        QT_TR_NOOP("Name"),        QT_TR_NOOP("State"),      QT_TR_NOOP("Method"),
        QT_TR_NOOP("Target bits"), QT_TR_NOOP("Paper bits"), QT_TR_NOOP("Stored bits"),
        QT_TR_NOOP("Size"),        QT_TR_NOOP("Time"),       QT_TR_NOOP("Memory"),
        QT_TR_NOOP("Note")};
    static const char* tips[] = {
        QT_TR_NOOP("Double-click to give a name of your own"),
        QT_TR_NOOP("Whether the run is finished"),
        QT_TR_NOOP("How the weights were quantized"),
        QT_TR_NOOP("Average bits per weight aimed at"),
        QT_TR_NOOP("Bits per weight as the paper counts: weights and weak columns"),
        QT_TR_NOOP("Bits per weight with everything stored: scales, zeros and indices too"),
        QT_TR_NOOP("Size of the model's file"),
        QT_TR_NOOP("How long the run took"),
        QT_TR_NOOP("Peak memory of the run"),
        QT_TR_NOOP("Double-click to write a note of your own")};
    if (role == Qt::DisplayRole) return tr(names[section]);
    if (role == Qt::ToolTipRole) return tr(tips[section]);
    return {};
}

}  // namespace owq
