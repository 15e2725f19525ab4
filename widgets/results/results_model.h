// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAbstractTableModel>
#include <vector>

#include "widgets/results/result_row.h"

namespace owq {

/// The original and its runs; after the fixed columns one for each text and what was measured on it.
class ResultsModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column {
        nameColumn,
        stateColumn,
        methodColumn,
        targetColumn,
        paperColumn,
        storedColumn,
        sizeColumn,
        timeColumn,
        memoryColumn,
        noteColumn,
        fixedColumns
    };
    enum Role { sortRole = Qt::UserRole, pathRole };
    using QAbstractTableModel::QAbstractTableModel;

    void clear();
    void put(const ResultRow& row);  ///< adds, or replaces the row of that path (keeping what was measured)
    void remove(const QString& path);
    void add(const QString& path, const Measurements& measured);  ///< to what is known of the row
    const ResultRow* find(const QString& path) const;
    const std::vector<ResultRow>& rows() const { return rows_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

Q_SIGNALS:
    void renamed(const QString& path, const QString& name);
    void noted(const QString& path, const QString& note);

private:
    int placeOf(const QString& path) const;
    enum class Measure { perplexity, kl, top1, accuracy, byLength };
    struct Measured {
        Measure what;
        QString text;
        bool operator==(const Measured&) const = default;
    };
    static const QMap<QString, double>& valuesOf(const ResultRow& row, Measure what);
    void addTexts(const ResultRow& row);
    QString measuredText(const ResultRow& row, const Measured& column) const;
    QVariant value(const ResultRow& row, int column, bool sorting) const;
    std::vector<ResultRow> rows_;
    std::vector<Measured> measured_;  ///< one column each
};

}  // namespace owq
