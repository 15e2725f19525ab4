// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAbstractItemModel>
#include <QHash>
#include <vector>

#include "widgets/layer_tree/layer_row.h"

namespace owq {

/// Blocks with their linears. Known from headers alone; numbers come in later by name.
class LayerTreeModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column {
        nameColumn,
        kindColumn,
        shapeColumn,
        dtypeColumn,
        bitsColumn,
        weakColumn,
        sensitivityColumn,
        errorColumn,
        otherErrorColumn,  ///< of a comparison: error of B, and B / A
        ratioColumn,
        columnTotal
    };
    enum Role {
        sortRole = Qt::UserRole,  ///< number or text to sort by
        heatRole,                 ///< 0…1 of the column's range (logarithmic), or invalid
        nameRole,                 ///< full name of the linear; empty for a block
        kindRole,
    };

    using QAbstractItemModel::QAbstractItemModel;

    void setRows(std::vector<LayerRow> rows);  ///< in the order of the model
    /// Replaces the row of that name; unknown names are left out.
    void update(const LayerRow& row);
    void update(const std::vector<LayerRow>& rows);  ///< the same for many, with one repaint
    const LayerRow* find(const QString& name) const;
    QModelIndex indexOf(const QString& name) const;
    int linearCount() const { return int(rows_.size()); }
    QStringList kinds() const;  ///< in the order of the model

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& index) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QStringList mimeTypes() const override;
    /// Names of the linears, a block's in its place, one a line: kLayersType and plain text.
    QMimeData* mimeData(const QModelIndexList& indexes) const override;
    Qt::DropActions supportedDragActions() const override { return Qt::CopyAction; }

private:
    struct Block {
        int number = 0;
        std::vector<int> rows;  ///< places in rows_
    };
    struct Range {
        double low = 0, high = 0;
    };
    QVariant blockData(const Block& block, int column, int role) const;
    /// The other linears of its block that see the same input, by short name.
    QStringList sharing(const LayerRow& row) const;
    QVariant rowData(const LayerRow& row, int column, int role) const;
    QVariant heat(double value, const Range& range) const;
    void measure();

    std::vector<LayerRow> rows_;
    std::vector<Block> blocks_;
    QHash<QString, QPair<int, int>> places_;  ///< name to block and place within it
    Range sensitivity_, error_;
    double mostDifferent_ = 0;  ///< largest |ln (B / A)|
};

}  // namespace owq
