// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/run_panel/path_edit.h"

#include <QBoxLayout>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QMimeData>
#include <QToolButton>

#include "widgets/theme/icon.h"

namespace owq {
namespace {

/// A line edit takes dropped files as text "file:///…"; here they become a path.
class DropEdit : public QLineEdit {
protected:
    void dropEvent(QDropEvent* event) override {
        const QList<QUrl> urls = event->mimeData()->urls();
        if (urls.isEmpty() || !urls.first().isLocalFile()) return QLineEdit::dropEvent(event);
        setText(urls.first().toLocalFile());
        event->acceptProposedAction();
    }
};

}  // namespace

PathEdit::PathEdit(Kind kind, const QString& name, QWidget* parent)
    : QWidget(parent), kind_(kind), edit_(new DropEdit) {
    edit_->setAccessibleName(name);
    auto* button = new QToolButton;
    button->setIcon(themedIcon(QStringLiteral("open")));
    button->setToolTip(tr("Browse for: %1").arg(name));
    button->setAccessibleName(button->toolTip());
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addWidget(edit_);
    layout->addWidget(button);
    setFocusProxy(edit_);
    connect(button, &QToolButton::clicked, this, &PathEdit::browse);
    connect(edit_, &QLineEdit::textChanged, this, &PathEdit::changed);
    connect(edit_, &QLineEdit::textChanged, edit_, &QWidget::setToolTip);
}

QString PathEdit::path() const {
    return edit_->text().trimmed();
}

void PathEdit::setPath(const QString& path) {
    edit_->setText(path);
    edit_->setCursorPosition(0);
}

void PathEdit::browse() {
    const QString title = edit_->accessibleName();
    QString chosen;
    if (kind_ == Kind::folder)
        chosen = QFileDialog::getExistingDirectory(this, title, path());
    else if (kind_ == Kind::openFile)
        chosen = QFileDialog::getOpenFileName(this, title, path(), filter_);
    else
        chosen = QFileDialog::getSaveFileName(this, title, path(), filter_);
    if (!chosen.isEmpty()) setPath(chosen);
}

}  // namespace owq
