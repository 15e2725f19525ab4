// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/compare/compare_panel.h"

#include <QBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QStackedWidget>
#include <QTableView>

#include "widgets/common/tsv.h"
#include "widgets/layer_tree/heat_delegate.h"
#include "widgets/theme/icon.h"

namespace owq {

ComparePanel::ComparePanel(QWidget* parent)
    : QWidget(parent),
      model_(new CompareModel(this)),
      sorted_(new QSortFilterProxyModel(this)),
      table_(new QTableView),
      title_(new QLabel),
      swap_(new QPushButton(tr("S&wap"))),
      end_(new QPushButton(themedIcon(QStringLiteral("close")), tr("&End comparison"))),
      pages_(new QStackedWidget) {
    sorted_->setSourceModel(model_);
    sorted_->setSortRole(CompareModel::sortRole);
    table_->setModel(sorted_);
    table_->setItemDelegate(new HeatDelegate(table_));
    table_->setObjectName(QStringLiteral("compareTable"));
    table_->setAccessibleName(tr("Comparison of two runs per layer"));
    table_->setSortingEnabled(true);
    table_->sortByColumn(CompareModel::nameColumn, Qt::AscendingOrder);  // as given: by difference
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setAlternatingRowColors(true);
    table_->setShowGrid(false);
    table_->setTabKeyNavigation(false);
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 12);
    table_->horizontalHeader()->setHighlightSections(false);
    table_->horizontalHeader()->setStretchLastSection(true);
    installCopy(table_);
    title_->setTextFormat(Qt::RichText);
    title_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    swap_->setToolTip(tr("Take B for A and A for B (Ctrl+Shift+W)"));
    end_->setToolTip(tr("Show one run again (Ctrl+Shift+D)"));
    end_->setObjectName(QStringLiteral("endComparison"));

    auto* none = new QLabel(tr("Select two finished runs in Results and press Compare."));
    none->setAlignment(Qt::AlignCenter);
    none->setForegroundRole(QPalette::PlaceholderText);
    auto* page = new QWidget;
    auto* top = new QHBoxLayout;
    top->addWidget(title_, 1);
    top->addWidget(swap_);
    top->addWidget(end_);
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(8, 2, 8, 6);
    layout->addLayout(top);
    layout->addWidget(table_);
    pages_->addWidget(none);
    pages_->addWidget(page);
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->addWidget(pages_);
    setMinimumWidth(1);

    connect(swap_, &QPushButton::clicked, this, &ComparePanel::swapWanted);
    connect(end_, &QPushButton::clicked, this, &ComparePanel::endWanted);
    connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        QStringList names;
        for (const QModelIndex& index : table_->selectionModel()->selectedRows()) names << index.data(CompareModel::nameRole).toString();
        if (!names.isEmpty()) Q_EMIT layersSelected(names);
    });
    setRuns({}, {});
}

void ComparePanel::setRuns(const QString& a, const QString& b) {
    pages_->setCurrentIndex(a.isEmpty() && b.isEmpty() ? 0 : 1);
    title_->setText(tr("<b>A</b> %1 &nbsp;·&nbsp; <b>B</b> %2").arg(a.toHtmlEscaped(), b.toHtmlEscaped()));
    title_->setToolTip(tr("A: %1\nB: %2").arg(a, b));
}

}  // namespace owq
