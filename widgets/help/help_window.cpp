// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/help/help_window.h"

#include <QAction>
#include <QBoxLayout>
#include <QDesktopServices>
#include <QDir>
#include <QFile>
#include <QListWidget>
#include <QScrollBar>
#include <QSplitter>
#include <QTextBlock>
#include <QTextBrowser>
#include <QTextDocument>
#include <QUrl>

namespace owq {
namespace {

/// In the order of reading; others follow.
const char* const kPages[] = {"window", "plots", "method", "lesson", "protocols", "format"};

QString titleOf(const QString& file) {
    QFile in(file);
    if (!in.open(QIODevice::ReadOnly)) return {};
    const QString first = QString::fromUtf8(in.readLine()).trimmed();
    return first.startsWith(QLatin1String("# ")) ? first.mid(2) : QFileInfo(file).baseName();
}

}  // namespace

HelpWindow::HelpWindow(const QString& folder, QWidget* parent)
    : QWidget(parent, Qt::Window), folder_(folder), contents_(new QListWidget), text_(new QTextBrowser) {
    setWindowTitle(tr("Help – OWQ Workbench"));
    contents_->setAccessibleName(tr("Contents"));
    contents_->setFrameShape(QFrame::NoFrame);
    contents_->setWordWrap(true);
    text_->setAccessibleName(tr("Help page"));
    text_->setOpenLinks(false);
    text_->setFrameShape(QFrame::NoFrame);
    text_->document()->setDocumentMargin(22);
    connect(text_, &QTextBrowser::anchorClicked, this, [this](const QUrl& url) {
        if (url.scheme().startsWith(QLatin1String("http"))) return void(QDesktopServices::openUrl(url));
        const QString page = QFileInfo(url.path()).completeBaseName();
        showTopic((page.isEmpty() ? page_ : page) + (url.hasFragment() ? QLatin1Char('#') + url.fragment() : QString()));
    });
    connect(contents_, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) { showTopic(item->data(Qt::UserRole).toString()); });
    connect(contents_, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) { showTopic(item->data(Qt::UserRole).toString()); });
    auto* close = new QAction(tr("Close"), this);
    close->setShortcut(QKeySequence(Qt::Key_Escape));
    connect(close, &QAction::triggered, this, &QWidget::close);
    addAction(close);
    auto* split = new QSplitter;
    split->addWidget(contents_);
    split->addWidget(text_);
    split->setStretchFactor(1, 1);
    split->setSizes({260, 700});
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(split);
    resize(980, 720);
    fillContents();
}

QString HelpWindow::slug(const QString& heading) {
    QString out;
    for (const QChar c : heading.toLower())
        if (c.isLetterOrNumber())
            out += c;
        else if (!out.isEmpty() && !out.endsWith(QLatin1Char('-')) && (c.isSpace() || c == QLatin1Char('-')))
            out += QLatin1Char('-');
    while (out.endsWith(QLatin1Char('-'))) out.chop(1);
    return out;
}

void HelpWindow::fillContents() {
    QStringList pages;
    for (const char* page : kPages)
        if (QFile::exists(QDir(folder_).filePath(QLatin1String(page) + QStringLiteral(".md")))) pages << QLatin1String(page);
    for (const QFileInfo& file : QDir(folder_).entryInfoList({QStringLiteral("*.md")}, QDir::Files, QDir::Name))
        if (!pages.contains(file.baseName())) pages << file.baseName();
    for (const QString& page : pages) {
        const QString path = QDir(folder_).filePath(page + QStringLiteral(".md"));
        auto* item = new QListWidgetItem(titleOf(path), contents_);
        item->setData(Qt::UserRole, page);
        QFont bold = item->font();
        bold.setBold(true);
        item->setFont(bold);
        QFile in(path);
        if (!in.open(QIODevice::ReadOnly)) continue;
        while (!in.atEnd()) {
            const QString line = QString::fromUtf8(in.readLine()).trimmed();
            if (!line.startsWith(QLatin1String("## "))) continue;
            const QString heading = line.mid(3).remove(QLatin1Char('`')).remove(QLatin1Char('*'));
            auto* sub = new QListWidgetItem(QStringLiteral("   ") + heading, contents_);
            sub->setData(Qt::UserRole, page + QLatin1Char('#') + slug(heading));
        }
    }
    if (pages.isEmpty()) text_->setPlainText(tr("The help pages were not found beside the program. Install the program with its data."));
}

bool HelpWindow::load(const QString& page) {
    if (page == page_) return true;
    QFile in(QDir(folder_).filePath(page + QStringLiteral(".md")));
    if (page.isEmpty() || !in.open(QIODevice::ReadOnly)) return false;
    text_->document()->setMarkdown(QString::fromUtf8(in.readAll()), QTextDocument::MarkdownDialectGitHub);
    page_ = page;
    return true;
}

bool HelpWindow::scrollTo(const QString& wanted) {
    for (QTextBlock block = text_->document()->begin(); block.isValid(); block = block.next()) {
        if (block.blockFormat().headingLevel() == 0 || slug(block.text()) != wanted) continue;
        text_->setTextCursor(QTextCursor(block));
        text_->ensureCursorVisible();
        // The heading at the top, not where it just comes into sight.
        text_->verticalScrollBar()->setValue(text_->verticalScrollBar()->value() + text_->cursorRect().top() - 12);
        return true;
    }
    return false;
}

bool HelpWindow::showTopic(const QString& topic) {
    const QString page = topic.section(QLatin1Char('#'), 0, 0), heading = topic.section(QLatin1Char('#'), 1);
    if (!load(page)) return false;
    topic_ = topic;
    for (int i = 0; i < contents_->count(); ++i)
        if (contents_->item(i)->data(Qt::UserRole).toString() == topic) contents_->setCurrentRow(i);
    if (!heading.isEmpty()) return scrollTo(heading);
    text_->verticalScrollBar()->setValue(0);
    return true;
}

}  // namespace owq
