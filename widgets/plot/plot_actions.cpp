// SPDX-License-Identifier: GPL-3.0-or-later
// The actions of a Plot: its context menu, its shortcuts, the clipboard, the table twin.
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QLabel>
#include <QStackedWidget>
#include <QTableView>
#include <algorithm>
#include <set>

#include "widgets/common/in_background.h"
#include "widgets/common/write_file.h"
#include "widgets/plot/plot.h"
#include "widgets/plot/plot_canvas.h"

namespace owq {

QAction* Plot::addOwnAction(const QString& text, const QString& tip, const QKeySequence& shortcut) {
    auto* action = new QAction(text, this);
    action->setToolTip(tip);
    action->setStatusTip(tip);
    action->setShortcut(shortcut);
    action->setShortcutContext(Qt::WidgetShortcut);  // the table twin has the same keys for its own cells
    addAction(action);
    return action;
}

void Plot::makeActions() {
    setContextMenuPolicy(Qt::ActionsContextMenu);
    const auto separator = [this] {
        auto* line = new QAction(this);
        line->setSeparator(true);
        addAction(line);
    };
    connect(addOwnAction(tr("&Copy visible data"), tr("Copy the visible rows, tab-separated with a header"), QKeySequence::Copy),
            &QAction::triggered, this, &Plot::copy);
    connect(addOwnAction(tr("&Save visible data as CSV…"), tr("Write the visible rows to a file"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C)),
            &QAction::triggered, this, &Plot::saveCsv);
    connect(addOwnAction(tr("&Export figure…"), tr("Write this plot as PDF, SVG or PNG"), QKeySequence(Qt::CTRL | Qt::Key_G)),
            &QAction::triggered, this, &Plot::figureRequested);
    tableAction_ = addOwnAction(tr("Show as &table"), tr("The same numbers as a table"), QKeySequence(Qt::CTRL | Qt::Key_T));
    tableAction_->setCheckable(true);
    connect(tableAction_, &QAction::toggled, this, &Plot::setTableShown);
    separator();
    connect(addOwnAction(tr("Zoom &back"), tr("One step back"), QKeySequence(Qt::Key_Backspace)), &QAction::triggered, this, &Plot::zoomBack);
    connect(addOwnAction(tr("Show &all"), tr("All columns, all values"), QKeySequence(Qt::Key_Home)), &QAction::triggered, this, &Plot::zoomHome);
    connect(addOwnAction(tr("&Pin reference"), tr("Show differences to the column under the crosshair"), QKeySequence(Qt::Key_P)),
            &QAction::triggered, this, &Plot::pinReference);
    const auto cut = [this](const QString& text, const QString& tip, Qt::Key key, int by) {
        QAction* action = addOwnAction(text, tip, QKeySequence(key));
        connect(action, &QAction::triggered, this, [this, by] { stepCut(by); });
        cutActions_.push_back(action);
    };
    cut(tr("&More weak columns"), tr("Keep the two next most sensitive columns of this curve in 16 bit"), Qt::Key_BracketRight, 2);
    cut(tr("Fe&wer weak columns"), tr("Quantize the two least sensitive weak columns of this curve"), Qt::Key_BracketLeft, -2);
    setCutMovable(false);
}

// Not of the content shown, which the cut may change at any moment.
std::function<QString()> Plot::visibleText(TableFormat format) const {
    return [make = contentMaker(), curves = curves_, mode = xMode_, format, range = view()] {
        return tableText(make(curves, mode), format, range.xLower, range.xUpper);
    };
}

void Plot::copy() {
    if (isBuilding()) return void(connect(this, &Plot::contentChanged, this, &Plot::copy, Qt::ConnectionType(Qt::UniqueConnection | Qt::SingleShotConnection)));
    ++gathering_;
    updateNote();
    inBackground(this, visibleText(TableFormat::Tsv), [this](const QString& text) {
        QApplication::clipboard()->setText(text);
        --gathering_;
        updateNote();
    });
}

void Plot::writeCsv(const QString& path) {
    if (isBuilding()) return void(connect(this, &Plot::contentChanged, this, [this, path] { writeCsv(path); }, Qt::SingleShotConnection));
    ++gathering_;
    updateNote();
    inBackground(this, [path, text = visibleText(TableFormat::Csv)] { return writeFile(path, text().toUtf8()); }, [this](const QString& problem) {
        --gathering_;
        updateNote();
        if (!problem.isEmpty()) Q_EMIT failed(problem);
    });
}

void Plot::saveCsv() {
    const QString path = QFileDialog::getSaveFileName(this, tr("Save visible data"), content_.title + QStringLiteral(".csv"), tr("CSV (*.csv)"));
    if (!path.isEmpty()) writeCsv(path);
}

// Where the row at hand is already one of the column, and of the layer that was chosen, it stays.
void Plot::showSelectedRow() {
    if (!tableView_ || content_.empty()) return;
    followingRow_ = true;
    const auto named = std::find_if(content_.blocks.begin(), content_.blocks.end(), [this](const PlotBlock& b) { return b.name == selectedLayer_; });
    const auto block = named != content_.blocks.end() ? named : content_.blocks.begin() + static_cast<ptrdiff_t>(block_);
    const auto column = std::find(block->column.begin(), block->column.end(), selectedColumn_);
    if (selectedColumn_ < 0 || column == block->column.end()) {
        tableView_->setCurrentIndex({});
        tableView_->clearSelection();
    } else {
        const int row = table_.rowOf({static_cast<int>(block - content_.blocks.begin()), static_cast<int>(column - block->column.begin())});
        if (tableView_->currentIndex().row() != row) tableView_->setCurrentIndex(table_.index(row, std::max(0, tableView_->currentIndex().column())));
        tableView_->scrollTo(tableView_->currentIndex());
    }
    followingRow_ = false;
}

bool Plot::isTableShown() const { return tableAction_->isChecked(); }

void Plot::setTableShown(bool shown) {
    if (tableAction_->isChecked() != shown) return tableAction_->setChecked(shown);  // comes back here
    if (!tableView_) {
        tableView_ = new QTableView;
        tableView_->setModel(&table_);
        tableView_->setAccessibleName(tr("%1, table").arg(content_.title));
        tableView_->setSelectionBehavior(QAbstractItemView::SelectRows);
        tableView_->setTabKeyNavigation(false);
        tableView_->verticalHeader()->hide();
        tableView_->verticalHeader()->setDefaultSectionSize(tableView_->fontMetrics().height() + 6);
        tableView_->horizontalHeader()->setStretchLastSection(true);
        pages_->addWidget(tableView_);
        auto* copyRows = new QAction(tr("&Copy rows"), tableView_);
        copyRows->setShortcut(QKeySequence::Copy);
        copyRows->setShortcutContext(Qt::WidgetShortcut);
        auto* back = new QAction(tr("Show as &plot"), tableView_);
        back->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_T));
        back->setShortcutContext(Qt::WidgetShortcut);
        tableView_->addActions({copyRows, back});
        tableView_->setContextMenuPolicy(Qt::ActionsContextMenu);
        connect(back, &QAction::triggered, this, [this] { setTableShown(false); });
        connect(copyRows, &QAction::triggered, this, [this] {
            QString text = tableHeader(content_).join(QLatin1Char('\t')) + QLatin1Char('\n');
            std::set<int> rows;
            for (const QModelIndex& index : tableView_->selectionModel()->selectedRows()) rows.insert(index.row());
            for (const int row : rows) {
                QStringList cells;
                for (int column = 0; column < table_.columnCount(); ++column) cells << table_.index(row, column).data().toString();
                text += cells.join(QLatin1Char('\t')) + QLatin1Char('\n');
            }
            QApplication::clipboard()->setText(text);
        });
        connect(tableView_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& current) {
            if (!current.isValid() || followingRow_) return;
            const PlotTableModel::Place place = table_.placeOf(current.row());
            block_ = static_cast<size_t>(place.block);
            setCrosshair(place.position);
            selectAtCrosshair();
        });
    }
    QWidget* page = content_.empty() ? static_cast<QWidget*>(empty_) : shown ? static_cast<QWidget*>(tableView_) : canvas_;
    pages_->setCurrentWidget(page);
    if (shown) showSelectedRow();
    (shown && !content_.empty() ? static_cast<QWidget*>(tableView_) : this)->setFocus();
}

}  // namespace owq
