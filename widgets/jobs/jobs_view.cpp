// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/jobs/jobs_view.h"

#include <QBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QScrollArea>
#include <QSplitter>
#include <QTime>

#include "widgets/common/tsv.h"
#include "widgets/jobs/job_card.h"
#include "widgets/theme/icon.h"

namespace owq {
namespace {
constexpr int kCards = 60;  // finished jobs beyond this number leave the list
constexpr int kMessages = 500;
}  // namespace

JobsView::JobsView(QWidget* parent)
    : QWidget(parent), nothing_(new QLabel(tr("Nothing has run yet."))), messages_(new QListWidget) {
    auto* holder = new QWidget;
    cards_ = new QVBoxLayout(holder);
    cards_->setContentsMargins(0, 0, 4, 0);
    cards_->setSpacing(6);
    nothing_->setForegroundRole(QPalette::PlaceholderText);
    cards_->addWidget(nothing_);
    cards_->addStretch();
    auto* scroll = new QScrollArea;
    scroll->setWidget(holder);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    messages_->setAccessibleName(tr("Messages"));
    messages_->setWordWrap(true);
    messages_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    messages_->setAlternatingRowColors(true);
    auto* splitter = new QSplitter;
    splitter->setChildrenCollapsible(false);
    splitter->addWidget(scroll);
    splitter->addWidget(messages_);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 2, 8, 6);
    layout->addWidget(splitter);
}

void JobsView::put(const JobRow& row) {
    JobCard*& card = byId_[row.id];
    if (!card) {
        card = new JobCard;
        cards_->insertWidget(0, card);
        order_.prepend(row.id);
        connect(card, &JobCard::cancelWanted, this, [this, id = row.id] { Q_EMIT cancelWanted(id); });
        nothing_->hide();
    }
    card->show(row);
    for (int i = order_.size() - 1; i >= 0 && order_.size() > kCards; --i) {
        if (!byId_[order_[i]]->over()) continue;
        delete byId_.take(order_[i]);
        order_.removeAt(i);
    }
}

void JobsView::addMessage(Severity severity, const QString& text) {
    const char* icon = severity == Severity::error     ? "error"
                       : severity == Severity::warning ? "warning"
                                                       : "info";
    auto* item = new QListWidgetItem(themedIcon(QLatin1String(icon)),
                                     QTime::currentTime().toString(QStringLiteral("HH:mm:ss  ")) + text);
    item->setToolTip(text);
    messages_->insertItem(0, item);
    while (messages_->count() > kMessages) delete messages_->takeItem(messages_->count() - 1);
}

QStringList JobsView::messages() const {
    QStringList all;
    for (int i = 0; i < messages_->count(); ++i) all << messages_->item(i)->text();
    return all;
}

}  // namespace owq
