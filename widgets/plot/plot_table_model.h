// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAbstractTableModel>
#include <vector>

#include "widgets/plot/plot_content.h"

namespace owq {

// The table twin of a plot: the same numbers as rows, for keyboard, screen reader and clipboard.
class PlotTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;

    void setContent(const PlotContent* content);  // must outlive the model or be replaced by null
    void weakChanged();  // in place
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

    struct Place {
        int block = 0, position = 0;
    };
    Place placeOf(int row) const;
    int rowOf(Place place) const { return firstRow_[static_cast<size_t>(place.block)] + place.position; }

private:
    const PlotContent* content_ = nullptr;
    std::vector<int> firstRow_;  // of each block, and the total
};

}  // namespace owq
