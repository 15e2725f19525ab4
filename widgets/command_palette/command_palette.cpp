// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/command_palette/command_palette.h"

#include <QAction>
#include <QBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QPointer>
#include <QTimer>

namespace owq {
namespace {

QString plain(const QAction& action) {
    return action.text().remove(QLatin1Char('&')).remove(QStringLiteral("…"));
}

/// Every word typed occurs in the name, in any order.
bool matches(const QString& name, const QString& text) {
    for (const QString& word : text.split(QLatin1Char(' '), Qt::SkipEmptyParts))
        if (!name.contains(word, Qt::CaseInsensitive)) return false;
    return true;
}

}  // namespace

CommandPalette::CommandPalette(const QList<QAction*>& actions, QWidget* parent)
    : QDialog(parent, Qt::Popup | Qt::FramelessWindowHint),
      actions_(actions),
      edit_(new QLineEdit),
      list_(new QListWidget) {
    setAttribute(Qt::WA_DeleteOnClose);
    edit_->setPlaceholderText(tr("What do you want to do?"));
    edit_->setAccessibleName(tr("Search for a command"));
    edit_->setMinimumHeight(34);
    edit_->installEventFilter(this);
    list_->setFrameShape(QFrame::NoFrame);
    list_->setFocusPolicy(Qt::NoFocus);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->addWidget(edit_);
    layout->addWidget(list_);
    resize(fontMetrics().averageCharWidth() * 70, fontMetrics().height() * 22);
    const QRect around = parent->frameGeometry();
    move(around.center().x() - width() / 2, around.top() + around.height() / 8);
    connect(edit_, &QLineEdit::textChanged, this, &CommandPalette::fill);
    connect(list_, &QListWidget::itemClicked, this, &CommandPalette::trigger);
    fill({});
    edit_->setFocus();
}

void CommandPalette::fill(const QString& text) {
    list_->clear();
    for (QAction* action : actions_) {
        if (!action->isEnabled() || !matches(plain(*action), text)) continue;
        const QString shortcut = action->shortcut().toString(QKeySequence::NativeText);
        auto* item = new QListWidgetItem(
            action->icon(),
            shortcut.isEmpty() ? plain(*action) : QStringLiteral("%1    %2").arg(plain(*action), shortcut));
        item->setData(Qt::UserRole, QVariant::fromValue(action));
        item->setToolTip(action->toolTip());
        list_->addItem(item);
    }
    list_->setCurrentRow(0);
}

void CommandPalette::trigger() {
    const QListWidgetItem* item = list_->currentItem();
    const QPointer<QAction> action = item ? item->data(Qt::UserRole).value<QAction*>() : nullptr;
    close();
    // After the popup is gone, so that what the action opens gets the focus.
    if (action) QTimer::singleShot(0, action, &QAction::trigger);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched == edit_ && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int step = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : 0;
        if (step && list_->count() > 0) {
            list_->setCurrentRow((list_->currentRow() + step + list_->count()) % list_->count());
            return true;
        }
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            trigger();
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

}  // namespace owq
