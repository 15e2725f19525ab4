// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QRegularExpression>
#include <QSet>
#include <QSortFilterProxyModel>

namespace owq {

/// Sorts and filters a LayerTreeModel: text over all columns, and kinds. A block shows while one of its
/// linears does.
class LayerFilter : public QSortFilterProxyModel {
    Q_OBJECT
public:
    explicit LayerFilter(QObject* parent = nullptr);
    /// False when `regex` is set and the pattern is none; the last good filter stays.
    bool setText(const QString& text, bool regex = false);
    void setKinds(QSet<QString> kinds);  ///< empty: all

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

private:
    QRegularExpression text_;
    QSet<QString> kinds_;
};

}  // namespace owq
