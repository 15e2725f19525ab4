// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAbstractTableModel>
#include <vector>

#include "widgets/results/result_row.h"

namespace owq {

/// The original and its runs; one column per measured text after the fixed ones.
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
        fixedColumns
    };
    enum Role { sortRole = Qt::UserRole, pathRole };
    using QAbstractTableModel::QAbstractTableModel;

    void clear();
    void put(const ResultRow& row);  ///< adds, or replaces the row of that path (keeping perplexities it has)
    void remove(const QString& path);
    void setPerplexity(const QString& path, const QString& text, double value);
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

private:
    int placeOf(const QString& path) const;
    void addTexts(const ResultRow& row);
    QVariant value(const ResultRow& row, int column, bool sorting) const;
    std::vector<ResultRow> rows_;
    QStringList texts_;
};

}  // namespace owq
