// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/budget/budget_panel.h"

#include <QAction>
#include <QBoxLayout>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QScopedValueRollback>
#include <QSet>
#include <QSlider>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QToolButton>
#include <algorithm>
#include <cmath>

#include "widgets/budget/budget_delegate.h"
#include "widgets/common/format.h"
#include "widgets/common/tsv.h"
#include "widgets/theme/icon.h"

namespace owq {
namespace {

constexpr int kSliderSteps = 100;  // per bit

/// A number that is read at a glance, with what it is below it.
QLabel* figure(QGridLayout* grid, int row, int column, const QString& caption, const QString& tip) {
    auto* value = new QLabel(QStringLiteral("–"));
    QFont font = value->font();
    font.setPointSizeF(font.pointSizeF() * 1.15);
    font.setWeight(QFont::DemiBold);
    value->setFont(font);
    value->setToolTip(tip);
    value->setAccessibleName(caption);
    value->setTextInteractionFlags(Qt::TextSelectableByMouse);
    value->setFocusPolicy(Qt::NoFocus);
    auto* below = new QLabel(caption);
    QFont small = below->font();
    small.setPointSizeF(small.pointSizeF() * 0.88);
    below->setFont(small);
    below->setForegroundRole(QPalette::PlaceholderText);
    below->setToolTip(tip);
    below->setContentsMargins(0, 0, 0, 5);
    grid->addWidget(value, 2 * row, column);
    grid->addWidget(below, 2 * row + 1, column);
    return value;
}

QString bitsText(double bits) { return std::isnan(bits) ? QStringLiteral("–") : QString::number(bits, 'f', 3); }

}  // namespace

BudgetPanel::BudgetPanel(QAction* undo, QAction* redo, QWidget* parent)
    : QWidget(parent),
      model_(new BudgetTableModel(this)),
      sorted_(new QSortFilterProxyModel(this)),
      table_(new QTableView) {
    makeTable();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 2, 8, 6);
    layout->setSpacing(8);
    layout->addWidget(makeSettings());
    layout->addWidget(makeTotals());
    layout->addWidget(table_, 1);
    layout->addWidget(makeButtons(undo, redo));
    setSettings({});
    setTotals({});
    setForecast({});
}

QWidget* BudgetPanel::makeSettings() {
    method_ = new QComboBox;
    method_->setObjectName(QStringLiteral("budgetMethod"));
    for (const char* m : {"owq", "optq", "rtn"}) method_->addItem(QString::fromLatin1(m).toUpper(), QLatin1String(m));
    method_->setAccessibleName(tr("Method"));
    method_->setToolTip(tr("How weights are quantized; only OWQ keeps weak columns"));
    bits_ = new QComboBox;
    for (const int b : {2, 3, 4, 8}) bits_->addItem(tr("%1 bits").arg(b), b);
    bits_->setObjectName(QStringLiteral("budgetBits"));
    bits_->setAccessibleName(tr("Bits per weight"));
    bits_->setToolTip(tr("Bits of weights outside the weak columns, where nothing else is set below"));
    group_ = new QComboBox;
    group_->addItem(tr("whole row"), 0);
    for (const int size : {32, 64, 128, 256}) group_->addItem(tr("groups of %1").arg(size), size);
    group_->setAccessibleName(tr("Group size"));
    group_->setToolTip(tr("Columns that share one scale and zero"));
    slider_ = new QSlider(Qt::Horizontal);
    slider_->setRange(2 * kSliderSteps, 8 * kSliderSteps);
    slider_->setAccessibleName(tr("Target bits"));
    slider_->setToolTip(tr("Average bits per weight to aim at, weak columns included"));
    target_ = new QDoubleSpinBox;
    target_->setRange(2, 8);
    target_->setDecimals(3);
    target_->setSingleStep(0.01);
    target_->setObjectName(QStringLiteral("budgetTarget"));
    target_->setAccessibleName(tr("Target bits"));
    target_->setToolTip(slider_->toolTip());
    auto* label = new QLabel(tr("&Target"));
    label->setBuddy(target_);
    for (QComboBox* box : {method_, bits_, group_})
        connect(box, &QComboBox::activated, this, [this] { tell(); });
    connect(slider_, &QSlider::valueChanged, this, [this](int v) { target_->setValue(double(v) / kSliderSteps); });
    connect(target_, &QDoubleSpinBox::valueChanged, this, [this](double v) {
        const QSignalBlocker still(slider_);  // the slider is coarser and must not round the box
        slider_->setValue(int(std::lround(v * kSliderSteps)));
        tell();
    });
    auto* box = new QWidget;
    auto* grid = new QGridLayout(box);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(6);
    grid->addWidget(method_, 0, 0);
    grid->addWidget(bits_, 0, 1);
    grid->addWidget(group_, 0, 2);
    auto* target = new QHBoxLayout;
    target->setSpacing(8);
    target->addWidget(label);
    target->addWidget(slider_, 1);
    target->addWidget(target_);
    grid->addLayout(target, 1, 0, 1, 3);
    grid->setColumnStretch(2, 1);
    return box;
}

QWidget* BudgetPanel::makeTotals() {
    auto* box = new QFrame;
    box->setObjectName(QStringLiteral("totals"));
    box->setStyleSheet(QStringLiteral("#totals { background: palette(base); border: 1px solid palette(mid); border-radius: 6px; }"));
    auto* grid = new QGridLayout(box);
    grid->setContentsMargins(10, 7, 10, 7);
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(0);
    paper_ = figure(grid, 0, 0, tr("bits, paper"), tr("Bits per weight as the paper counts: codes and weak columns"));
    stored_ = figure(grid, 0, 1, tr("bits, stored"), tr("Bits per weight with everything stored: scales, zeros and indices too"));
    file_ = figure(grid, 0, 2, tr("file"), tr("Size of the model's file, embeddings and all that is not quantized included"));
    error_ = figure(grid, 1, 0, tr("predicted error"), tr("Sum over the linears; known after an analysis or a run"));
    memory_ = figure(grid, 1, 1, tr("memory"), tr("Forecast of the most memory a run takes at once"));
    time_ = figure(grid, 1, 2, tr("time"), tr("Forecast from the last run of this kind on this machine"));
    paper_->setObjectName(QStringLiteral("paperBits"));
    stored_->setObjectName(QStringLiteral("storedBits"));
    file_->setObjectName(QStringLiteral("fileBytes"));
    for (int c = 0; c < 3; ++c) grid->setColumnStretch(c, 1);
    state_ = new QLabel;
    state_->setWordWrap(true);
    state_->setForegroundRole(QPalette::PlaceholderText);
    grid->addWidget(state_, 4, 0, 1, 3);
    return box;
}

void BudgetPanel::makeTable() {
    sorted_->setSourceModel(model_);
    sorted_->setSortRole(BudgetTableModel::sortRole);
    table_->setModel(sorted_);
    table_->setItemDelegate(new BudgetDelegate(table_));
    table_->setObjectName(QStringLiteral("budgetTable"));
    table_->setAccessibleName(tr("Budget per layer"));
    table_->setAccessibleDescription(tr("Enter edits a cell; plus and minus change the weak columns, K keeps a layer, L locks it."));
    table_->setSortingEnabled(true);
    table_->sortByColumn(BudgetTableModel::nameColumn, Qt::AscendingOrder);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    table_->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed | QAbstractItemView::SelectedClicked);
    table_->setAlternatingRowColors(true);
    table_->setShowGrid(false);
    table_->setTabKeyNavigation(false);
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 12);
    table_->horizontalHeader()->setHighlightSections(false);
    table_->horizontalHeader()->setStretchLastSection(true);
    const int widths[] = {104, 44, 50, 40, 58, 74};
    const double scale = fontMetrics().horizontalAdvance(QLatin1Char('0')) / 7.0;
    for (int c = 0; c < BudgetTableModel::columnTotal; ++c) table_->setColumnWidth(c, int(widths[c] * scale));
    table_->installEventFilter(this);
    installCopy(table_);
    connect(model_, &BudgetTableModel::editWanted, this, [this](const QString& name, BudgetTableModel::Field field, int value) {
        QStringList names = selectedLayers();
        if (!names.contains(name)) names = {name};
        Q_EMIT editWanted(names, field, value);
    });
    connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (!quiet_) Q_EMIT layersSelected(selectedLayers());
    });
}

QWidget* BudgetPanel::makeButtons(QAction* undo, QAction* redo) {
    const struct {
        const char *text, *keys, *tip;
    } kinds[] = {
        {QT_TR_NOOP("Allocate by the &paper's rule"), "", QT_TR_NOOP("What locked layers leave goes to the others in proportion to their columns")},
        {QT_TR_NOOP("Allocate greedily by the &analysis"), "Ctrl+Shift+B",
         QT_TR_NOOP("Weak columns where they take away most predicted error, at the same stored size; at once, after an analysis")},
        {QT_TR_NOOP("Allocate greedily by &measured loss…"), "F8",
         QT_TR_NOOP("Bits and weak columns where they help the model's predictions most, at the same stored size; reads the calibration text")}};
    auto* menu = new QMenu(this);
    menu->setToolTipsVisible(true);
    for (int i = 0; i < 3; ++i) {
        allocations_[i] = menu->addAction(tr(kinds[i].text));
        allocations_[i]->setToolTip(tr(kinds[i].tip));
        allocations_[i]->setShortcut(QKeySequence(QLatin1String(kinds[i].keys)));
        allocations_[i]->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        addAction(allocations_[i]);
        allocations_[i]->setProperty("tip", tr(kinds[i].tip));
        connect(allocations_[i], &QAction::triggered, this, [this, i] { Q_EMIT allocateWanted(Allocation(i)); });
    }
    const auto button = [](const QString& text, const char* icon, const QString& tip) {
        auto* b = new QToolButton;
        b->setText(text);
        b->setIcon(themedIcon(QLatin1String(icon)));
        b->setToolButtonStyle(text.isEmpty() ? Qt::ToolButtonIconOnly : Qt::ToolButtonTextBesideIcon);
        b->setToolTip(tip);
        b->setAccessibleName(tip);
        b->setMinimumHeight(30);
        return b;
    };
    allocate_ = button(tr("&Allocate"), "budget", tr("Spend what is left by the paper's rule; the arrow has other ways"));
    allocate_->setObjectName(QStringLiteral("allocate"));
    allocate_->setMenu(menu);
    allocate_->setPopupMode(QToolButton::MenuButtonPopup);
    connect(allocate_, &QToolButton::clicked, this, [this] { Q_EMIT allocateWanted(Allocation::paper); });
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addWidget(allocate_);
    layout->addStretch();
    for (QAction* action : {undo, redo}) {
        auto* b = button({}, "undo", action->toolTip());
        b->setDefaultAction(action);
        b->setAutoRaise(true);
        layout->addWidget(b);
    }
    auto* read = button({}, "open", tr("Import a budget file (JSON)"));
    auto* write = button({}, "save", tr("Export the budget as the file that owq quantize --budget reads"));
    read->setObjectName(QStringLiteral("importBudget"));
    write->setObjectName(QStringLiteral("exportBudget"));
    for (QToolButton* b : {read, write}) {
        b->setAutoRaise(true);
        layout->addWidget(b);
    }
    connect(read, &QToolButton::clicked, this, &BudgetPanel::importWanted);
    connect(write, &QToolButton::clicked, this, &BudgetPanel::exportWanted);
    return row;
}

BudgetSettings BudgetPanel::settings() const {
    return {method_->currentData().toString(), bits_->currentData().toInt(), target_->value(), group_->currentData().toInt()};
}

void BudgetPanel::setSettings(const BudgetSettings& s) {
    const QScopedValueRollback quiet(quiet_, true);
    method_->setCurrentIndex(std::max(0, method_->findData(s.method)));
    bits_->setCurrentIndex(std::max(0, bits_->findData(s.bits)));
    if (group_->findData(s.groupSize) < 0) group_->addItem(tr("groups of %1").arg(s.groupSize), s.groupSize);
    group_->setCurrentIndex(group_->findData(s.groupSize));
    target_->setValue(s.targetBits);
    const bool owq = s.method == QLatin1String("owq");
    slider_->setEnabled(owq);
    target_->setEnabled(owq);
}

void BudgetPanel::tell() {
    if (!quiet_) Q_EMIT settingsChanged(settings());
}

void BudgetPanel::setTotals(const BudgetTotals& t) {
    paper_->setText(bitsText(t.paperBits));
    stored_->setText(bitsText(t.storedBits));
    file_->setText(std::isnan(t.fileBytes) ? QStringLiteral("–") : bytesText(t.fileBytes));
    error_->setText(std::isnan(t.predictedError) ? QStringLiteral("–") : numberText(t.predictedError, 4));
    if (!std::isnan(t.originalBytes))
        file_->setToolTip(tr("The original takes %1. Embeddings and all that is not quantized are included.").arg(bytesText(t.originalBytes)));
}

void BudgetPanel::setForecast(const RunForecast& f) {
    memory_->setText(std::isnan(f.memoryBytes) ? QStringLiteral("–") : bytesText(f.memoryBytes));
    memory_->setToolTip(f.memoryWhen.isEmpty() ? tr("Forecast of the most memory a run takes at once")
                                               : tr("Forecast: most while %1").arg(f.memoryWhen));
    time_->setText(std::isnan(f.seconds) ? tr("unmeasured") : durationText(f.seconds));
}

void BudgetPanel::setStateText(const QString& text) { state_->setText(text); }

void BudgetPanel::setCanAllocate(Allocation how, bool can, const QString& whyNot) {
    QAction* action = allocation(how);
    action->setEnabled(can);
    action->setToolTip(can ? action->property("tip").toString() : whyNot);
}

QStringList BudgetPanel::selectedLayers() const {
    QStringList names;
    for (const QModelIndex& index : table_->selectionModel()->selectedRows())
        names << index.data(BudgetTableModel::nameRole).toString();
    return names;
}

void BudgetPanel::selectLayers(const QStringList& names) {
    const QStringList selected = selectedLayers();
    if (QSet<QString>(names.begin(), names.end()) == QSet<QString>(selected.begin(), selected.end())) return;
    const QScopedValueRollback quiet(quiet_, true);
    QItemSelection selection;
    QModelIndex first;
    for (const QString& name : names) {
        const int place = model_->placeOf(name);
        if (place < 0) continue;
        const QModelIndex index = sorted_->mapFromSource(model_->index(place, 0));
        if (!first.isValid()) first = index;
        selection.select(index, index);
    }
    if (first.isValid()) table_->selectionModel()->setCurrentIndex(first, QItemSelectionModel::NoUpdate);
    table_->selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    if (first.isValid()) table_->scrollTo(first);
}

bool BudgetPanel::tableKey(int key) {
    const QStringList names = selectedLayers();
    const BudgetRow* row = names.isEmpty() ? nullptr : model_->find(names.first());
    if (!row) return false;
    constexpr int step = 2;  // the authors' kernel reads weak columns in pairs
    switch (key) {
        case Qt::Key_Plus:
        case Qt::Key_Minus:
            if (row->bits == BudgetRow::kKept) return false;
            Q_EMIT editWanted(names, BudgetTableModel::Field::weakColumns,
                              std::clamp(row->weakColumns + (key == Qt::Key_Plus ? step : -step), 0, row->mostWeakColumns));
            return true;
        case Qt::Key_K:
            Q_EMIT editWanted(names, BudgetTableModel::Field::bits, row->bits == BudgetRow::kKept ? settings().bits : BudgetRow::kKept);
            return true;
        case Qt::Key_L:
            Q_EMIT editWanted(names, BudgetTableModel::Field::locked, !row->locked);
            return true;
        default:
            return false;
    }
}

bool BudgetPanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == table_ && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (!(key->modifiers() & (Qt::ControlModifier | Qt::AltModifier)) && tableKey(key->key())) return true;
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace owq
