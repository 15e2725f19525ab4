// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

#include "widgets/layer_tree/layer_filter.h"
#include "widgets/layer_tree/layer_look.h"
#include "widgets/layer_tree/layer_tree_model.h"

class QHBoxLayout;
class QLabel;
class QLineEdit;
class QTimer;
class QToolButton;
class QTreeView;

namespace owq {

/// The layer tree with its filter box and kind chips.
class LayerTree : public QWidget {
    Q_OBJECT
public:
    explicit LayerTree(QWidget* parent = nullptr);

    LayerTreeModel& model() { return *model_; }
    QTreeView& view() { return *view_; }
    QLineEdit& filterBox() { return *filterBox_; }

    void setRows(std::vector<LayerRow> rows);
    QStringList selectedLayers() const;  ///< names of linears; a selected block stands for all of its linears
    void select(const QStringList& names);  ///< a filter that hides one of them is cleared
    void addToSelection(const QStringList& names);
    void setComparing(bool comparing);  ///< shows the columns of a comparison, the most different layers first

    LayerLook look() const;
    /// What is filtered out is no longer selected. `comparing`: the order is for the comparison that is about to begin.
    void setLook(const LayerLook& look, bool comparing = false);

Q_SIGNALS:
    void selectionChanged(const QStringList& layers);

private:
    struct Order {
        int column = LayerTreeModel::ratioColumn;
        Qt::SortOrder order = Qt::DescendingOrder;
    };
    void applyFilter();
    void clearFilter();
    void makeChips();
    QList<QToolButton*> chips() const;

    LayerTreeModel* model_;
    LayerFilter* filter_;
    QLineEdit* filterBox_;
    QToolButton* regex_;
    QHBoxLayout* chipRow_;
    QTreeView* view_;
    QLabel* nothing_;
    QTimer* delay_;
    QSet<QString> kinds_;
    Order comparisonOrder_;  ///< of the next comparison
};

}  // namespace owq
