// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/layer_tree/layer_filter.h"

#include "widgets/layer_tree/layer_tree_model.h"

namespace owq {

LayerFilter::LayerFilter(QObject* parent) : QSortFilterProxyModel(parent) {
    setSortRole(LayerTreeModel::sortRole);
    setRecursiveFilteringEnabled(true);
}

bool LayerFilter::setText(const QString& text, bool regex) {
    const QRegularExpression expression(regex ? text : QRegularExpression::escape(text),
                                        QRegularExpression::CaseInsensitiveOption);
    if (!expression.isValid()) return false;
    text_ = expression;
    invalidateFilter();
    return true;
}

void LayerFilter::setKinds(QSet<QString> kinds) {
    kinds_ = std::move(kinds);
    invalidateFilter();
}

bool LayerFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
    if (!parent.isValid()) return false;  // a block shows only through its linears
    const QModelIndex index = sourceModel()->index(row, 0, parent);
    if (!kinds_.isEmpty() && !kinds_.contains(index.data(LayerTreeModel::kindRole).toString())) return false;
    if (text_.pattern().isEmpty()) return true;
    if (index.data(LayerTreeModel::nameRole).toString().contains(text_)) return true;
    for (int column = 1; column < sourceModel()->columnCount(parent); ++column)
        if (index.siblingAtColumn(column).data().toString().contains(text_)) return true;
    return parent.data().toString().contains(text_);  // "Block 3"
}

}  // namespace owq
