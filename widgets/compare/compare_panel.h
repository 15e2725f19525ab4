// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

#include "widgets/compare/compare_model.h"

class QLabel;
class QPushButton;
class QSortFilterProxyModel;
class QStackedWidget;
class QTableView;

namespace owq {

/// The table of two runs' linears, and how to end the comparison.
class ComparePanel : public QWidget {
    Q_OBJECT
public:
    explicit ComparePanel(QWidget* parent = nullptr);
    CompareModel& model() { return *model_; }
    QTableView& table() { return *table_; }
    void setRuns(const QString& a, const QString& b);  ///< names; both empty: no comparison

Q_SIGNALS:
    void layersSelected(const QStringList& names);
    void swapWanted();
    void endWanted();

private:
    CompareModel* model_;
    QSortFilterProxyModel* sorted_;
    QTableView* table_;
    QLabel* title_;
    QPushButton *swap_, *end_;
    QStackedWidget* pages_;
};

}  // namespace owq
