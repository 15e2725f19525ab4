// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/layer_tree/layer_tree.h"

#include <QBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QTimer>
#include <QToolButton>
#include <algorithm>
#include <iterator>
#include <utility>

#include "widgets/common/tsv.h"
#include "widgets/layer_tree/heat_delegate.h"
#include "widgets/layer_tree/layer_view.h"
#include "widgets/theme/icon.h"

namespace owq {
namespace {
constexpr int kFilterDelay = 300;  // ms: long enough to type a word, short enough to feel at once
constexpr int kWidest = 10000;     // pixels of a column
const QString kChip = QStringLiteral("chip_");

// What project files call the columns.
const char* const kColumns[] = {"name", "kind", "shape", "dtype", "bits", "weak_columns", "sensitivity", "error", "error_b", "ratio"};
static_assert(std::size(kColumns) == LayerTreeModel::columnTotal);

int columnOf(const QString& name) {
    const auto found = std::find(std::begin(kColumns), std::end(kColumns), name);
    return found == std::end(kColumns) ? -1 : int(found - std::begin(kColumns));
}
}

LayerTree::LayerTree(QWidget* parent)
    : QWidget(parent),
      model_(new LayerTreeModel(this)),
      filter_(new LayerFilter(this)),
      filterBox_(new QLineEdit),
      regex_(new QToolButton),
      chipRow_(new QHBoxLayout),
      view_(new LayerView),
      nothing_(new QLabel(tr("No layer matches the filter."))),
      delay_(new QTimer(this)) {
    filter_->setSourceModel(model_);
    filterBox_->setPlaceholderText(tr("Filter layers"));
    filterBox_->setClearButtonEnabled(true);
    filterBox_->addAction(themedIcon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    filterBox_->setAccessibleName(tr("Filter layers"));
    filterBox_->setToolTip(tr("Text to look for in every column (Ctrl+F)"));
    regex_->setText(QStringLiteral(".*"));
    regex_->setCheckable(true);
    regex_->setAutoRaise(true);
    regex_->setAccessibleName(tr("Filter is a regular expression"));
    regex_->setToolTip(tr("Read the filter as a regular expression"));

    view_->setModel(filter_);
    view_->setAccessibleName(tr("Layers"));
    view_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    view_->setSortingEnabled(true);
    view_->sortByColumn(LayerTreeModel::nameColumn, Qt::AscendingOrder);
    view_->setUniformRowHeights(true);
    view_->setAlternatingRowColors(true);
    view_->setAllColumnsShowFocus(true);
    view_->setIndentation(14);
    view_->setItemDelegate(new HeatDelegate(view_));
    view_->header()->setSectionsMovable(true);
    view_->header()->setStretchLastSection(true);
    // The names say the kind already, the numbers do not: they stand first.
    view_->header()->moveSection(LayerTreeModel::kindColumn, LayerTreeModel::columnTotal - 1);
    view_->header()->moveSection(view_->header()->visualIndex(LayerTreeModel::dtypeColumn), LayerTreeModel::columnTotal - 1);
    for (const int column : {LayerTreeModel::otherErrorColumn, LayerTreeModel::ratioColumn}) view_->setColumnHidden(column, true);
    installCopy(view_);

    nothing_->setAlignment(Qt::AlignCenter);
    nothing_->setEnabled(false);
    nothing_->hide();

    auto* top = new QHBoxLayout;
    top->addWidget(filterBox_);
    top->addWidget(regex_);
    chipRow_->setSpacing(4);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 2, 4, 6);
    layout->setSpacing(6);
    layout->addLayout(top);
    layout->addLayout(chipRow_);
    layout->addWidget(view_);
    layout->addWidget(nothing_);

    delay_->setSingleShot(true);
    delay_->setInterval(kFilterDelay);
    connect(delay_, &QTimer::timeout, this, &LayerTree::applyFilter);
    connect(filterBox_, &QLineEdit::textChanged, delay_, qOverload<>(&QTimer::start));
    connect(filterBox_, &QLineEdit::returnPressed, this, &LayerTree::applyFilter);
    connect(regex_, &QToolButton::toggled, this, &LayerTree::applyFilter);
    connect(view_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
            [this] { Q_EMIT selectionChanged(selectedLayers()); });
}

void LayerTree::setRows(std::vector<LayerRow> rows) {
    model_->setRows(std::move(rows));
    makeChips();
    applyFilter();
    view_->expandToDepth(model_->rowCount() > 8 ? -1 : 0);
    if (model_->rowCount() > 8) view_->expand(filter_->index(0, 0));
    const int widths[] = {132, 42, 78, 46, 38, 44, 84, 76, 76, 64};
    const double scale = fontMetrics().horizontalAdvance(QLatin1Char('0')) / 7.0;
    for (int c = 0; c < LayerTreeModel::columnTotal; ++c) view_->setColumnWidth(c, int(widths[c] * scale));
}

QStringList LayerTree::selectedLayers() const {
    QStringList names;
    const auto add = [&names](const QModelIndex& index) {
        const QString name = index.data(LayerTreeModel::nameRole).toString();
        if (!name.isEmpty() && !names.contains(name)) names << name;
    };
    for (const QModelIndex& index : view_->selectionModel()->selectedRows()) {
        add(index);
        for (int r = 0; r < filter_->rowCount(index); ++r) add(filter_->index(r, 0, index));
    }
    return names;
}

void LayerTree::select(const QStringList& names) {
    const auto hidden = [this](const QString& name) {
        const QModelIndex index = model_->indexOf(name);
        return index.isValid() && !filter_->mapFromSource(index).isValid();
    };
    if (std::any_of(names.begin(), names.end(), hidden)) clearFilter();
    QItemSelection selection;
    QModelIndex first;
    for (const QString& name : names) {
        const QModelIndex index = filter_->mapFromSource(model_->indexOf(name));
        if (!index.isValid()) continue;
        if (!first.isValid()) first = index;
        selection.select(index, index);
    }
    if (!first.isValid()) return view_->selectionModel()->clearSelection();
    view_->selectionModel()->setCurrentIndex(first, QItemSelectionModel::NoUpdate);
    view_->selectionModel()->select(selection,
                                    QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    view_->scrollTo(first);
}

void LayerTree::addToSelection(const QStringList& names) {
    QStringList all = selectedLayers();
    for (const QString& name : names)
        if (!all.contains(name)) all << name;
    select(all);
}

void LayerTree::setComparing(bool comparing) {
    const bool was = !view_->isColumnHidden(LayerTreeModel::ratioColumn);
    for (const int column : {LayerTreeModel::otherErrorColumn, LayerTreeModel::ratioColumn}) view_->setColumnHidden(column, !comparing);
    if (was == comparing) return;
    const Order order = comparing ? std::exchange(comparisonOrder_, {}) : Order{LayerTreeModel::nameColumn, Qt::AscendingOrder};
    view_->sortByColumn(order.column, order.order);
    view_->scrollTo(view_->currentIndex());
}

void LayerTree::applyFilter() {
    delay_->stop();
    const bool fine = filter_->setText(filterBox_->text(), regex_->isChecked());
    filterBox_->setToolTip(fine ? tr("Text to look for in every column (Ctrl+F)")
                                : tr("This is not a regular expression"));
    filter_->setKinds(kinds_);
    if (!filterBox_->text().isEmpty() || !kinds_.isEmpty()) view_->expandAll();
    nothing_->setVisible(model_->linearCount() > 0 && filter_->rowCount() == 0);
}

void LayerTree::clearFilter() {
    for (QToolButton* chip : chips()) {
        const QSignalBlocker once(chip);
        chip->setChecked(false);
    }
    kinds_.clear();
    filterBox_->clear();
    applyFilter();
}

LayerLook LayerTree::look() const {
    LayerLook look;
    look.filter = filterBox_->text();
    look.regex = regex_->isChecked();
    for (const QString& kind : model_->kinds())
        if (kinds_.contains(kind)) look.kinds << kind;
    const QHeaderView* header = view_->header();
    look.sortedBy = QLatin1String(kColumns[std::max(0, header->sortIndicatorSection())]);
    look.descending = header->sortIndicatorOrder() == Qt::DescendingOrder;
    look.expanded.emplace();
    for (int block = 0; block < model_->rowCount(); ++block)
        if (view_->isExpanded(filter_->mapFromSource(model_->index(block, 0)))) *look.expanded << block;
    int last = header->count() - 1;
    while (last > 0 && header->isSectionHidden(header->logicalIndex(last))) --last;
    for (int place = 0; place < header->count(); ++place) {
        const int column = header->logicalIndex(place);
        look.columns << qMakePair(QString(QLatin1String(kColumns[column])), place == last ? 0 : header->sectionSize(column));
    }
    return look;
}

void LayerTree::setLook(const LayerLook& look, bool comparing) {
    {
        const QSignalBlocker once(regex_);
        regex_->setChecked(look.regex);
    }
    filterBox_->setText(look.filter);
    kinds_.clear();
    for (QToolButton* chip : chips()) {
        const QSignalBlocker once(chip);
        chip->setChecked(look.kinds.contains(chip->text()));
        if (chip->isChecked()) kinds_.insert(chip->text());
    }
    applyFilter();
    QHeaderView* header = view_->header();
    for (qsizetype place = 0; place < look.columns.size(); ++place) {
        const auto& [name, width] = look.columns[place];
        const int column = columnOf(name);
        if (column < 0) continue;
        header->moveSection(header->visualIndex(column), std::min(int(place), header->count() - 1));
        if (width > 0) header->resizeSection(column, std::min(width, kWidest));
    }
    const int column = columnOf(look.sortedBy);
    const Qt::SortOrder order = look.descending ? Qt::DescendingOrder : Qt::AscendingOrder;
    if (comparing && column >= 0)
        comparisonOrder_ = {column, order};
    else if (column >= 0 && !view_->isColumnHidden(column))
        view_->sortByColumn(column, order);
    if (!look.expanded) return;
    for (int block = 0; block < model_->rowCount(); ++block)
        view_->setExpanded(filter_->mapFromSource(model_->index(block, 0)), look.expanded->contains(block));
}

QList<QToolButton*> LayerTree::chips() const {
    QList<QToolButton*> chips;
    for (QToolButton* button : findChildren<QToolButton*>())
        if (button->objectName().startsWith(kChip)) chips << button;
    return chips;
}

void LayerTree::makeChips() {
    while (QLayoutItem* item = chipRow_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    kinds_.clear();
    for (const QString& kind : model_->kinds()) {
        auto* chip = new QToolButton;
        chip->setText(kind);
        chip->setCheckable(true);
        chip->setObjectName(kChip + kind);
        chip->setAccessibleName(tr("Show only %1 layers").arg(kind));
        chip->setToolTip(chip->accessibleName());
        chip->setStyleSheet(
            QStringLiteral("QToolButton { border: 1px solid palette(mid); border-radius: 9px; padding: 2px "
                           "8px; background: palette(base); }"
                           "QToolButton:checked { background: palette(highlight); color: "
                           "palette(highlighted-text); border-color: palette(highlight); }"));
        connect(chip, &QToolButton::toggled, this, [this, kind](bool on) {
            if (on)
                kinds_.insert(kind);
            else
                kinds_.remove(kind);
            applyFilter();
        });
        chipRow_->addWidget(chip);
    }
    chipRow_->addStretch();
}

}  // namespace owq
