// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <Qt>

class QAbstractItemView;

namespace owq {

/// Role of a model whose cells say on the clipboard more than they show; what it leaves out is copied as shown.
constexpr int kCopyRole = Qt::UserRole + 100;

/// The selected rows of a view (all rows when none is selected) as tab-separated text with a header, visible
/// columns in the order shown.
QString selectionAsTsv(const QAbstractItemView& view);
/// Gives the view a Copy action on Ctrl+C (and in its context menu) that puts selectionAsTsv on the
/// clipboard.
void installCopy(QAbstractItemView* view);

}  // namespace owq
