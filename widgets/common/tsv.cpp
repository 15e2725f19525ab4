// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/common/tsv.h"

#include <QAbstractItemView>
#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QTableView>
#include <QTreeView>
#include <algorithm>

namespace owq {
namespace {

const QHeaderView* headerOf(const QAbstractItemView& view) {
    if (auto* tree = qobject_cast<const QTreeView*>(&view)) return tree->header();
    if (auto* table = qobject_cast<const QTableView*>(&view)) return table->horizontalHeader();
    return nullptr;
}

QString cell(QString text) {
    return text.replace(QLatin1Char('\t'), QLatin1Char(' ')).replace(QLatin1Char('\n'), QLatin1Char(' '));
}

void collect(const QAbstractItemModel& model, const QModelIndex& parent, QModelIndexList& rows) {
    for (int r = 0; r < model.rowCount(parent); ++r) {
        const QModelIndex index = model.index(r, 0, parent);
        rows << index;
        collect(model, index, rows);
    }
}

}  // namespace

QString selectionAsTsv(const QAbstractItemView& view) {
    const QAbstractItemModel* model = view.model();
    if (!model) return {};
    QList<int> columns;
    const QHeaderView* header = headerOf(view);
    for (int visual = 0; visual < model->columnCount(); ++visual) {
        const int column = header ? header->logicalIndex(visual) : visual;
        if (!header || !header->isSectionHidden(column)) columns << column;
    }
    QModelIndexList all, rows;
    collect(*model, {}, all);  // in the order shown
    for (const QModelIndex& index : all)
        if (view.selectionModel()->isRowSelected(index.row(), index.parent())) rows << index;
    if (rows.isEmpty()) rows = all;

    QStringList lines, line;
    for (int column : columns) line << cell(model->headerData(column, Qt::Horizontal).toString());
    lines << line.join(QLatin1Char('\t'));
    for (const QModelIndex& row : rows) {
        line.clear();
        for (int column : columns) {
            const QModelIndex index = row.siblingAtColumn(column);
            const QVariant copied = index.data(kCopyRole);
            line << cell((copied.isValid() ? copied : index.data()).toString());
        }
        lines << line.join(QLatin1Char('\t'));
    }
    return lines.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

void installCopy(QAbstractItemView* view) {
    auto* copy = new QAction(QObject::tr("&Copy as table"), view);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetShortcut);
    copy->setToolTip(QObject::tr("Copy the selected rows as tab-separated text with a header"));
    QObject::connect(copy, &QAction::triggered, view,
                     [view] { QGuiApplication::clipboard()->setText(selectionAsTsv(*view)); });
    view->addAction(copy);
    view->setContextMenuPolicy(Qt::ActionsContextMenu);
}

}  // namespace owq
