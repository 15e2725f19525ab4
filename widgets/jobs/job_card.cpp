// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/jobs/job_card.h"

#include <QGridLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>

#include "widgets/common/format.h"
#include "widgets/theme/icon.h"
#include "widgets/theme/icon_label.h"

namespace owq {

JobCard::JobCard(QWidget* parent)
    : QFrame(parent),
      icon_(new IconLabel(20)),
      title_(new QLabel),
      detail_(new QLabel),
      time_(new QLabel),
      bar_(new QProgressBar),
      cancel_(new QToolButton) {
    setObjectName(QStringLiteral("card"));
    setStyleSheet(QStringLiteral(
        "#card { background: palette(base); border: 1px solid palette(mid); border-radius: 8px; }"
        "QProgressBar { border: none; border-radius: 3px; background: palette(midlight); }"
        "QProgressBar::chunk { border-radius: 3px; background: palette(highlight); }"));
    bar_->setRange(0, 1000);
    bar_->setTextVisible(false);
    bar_->setFixedHeight(6);
    QFont bold = title_->font();
    bold.setWeight(QFont::DemiBold);
    title_->setFont(bold);
    detail_->setForegroundRole(QPalette::PlaceholderText);
    time_->setForegroundRole(QPalette::PlaceholderText);
    time_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    title_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    detail_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    cancel_->setIcon(themedIcon(QStringLiteral("stop")));
    cancel_->setAutoRaise(true);
    cancel_->setToolTip(tr("Cancel this job"));
    cancel_->setAccessibleName(cancel_->toolTip());
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(10, 7, 8, 8);
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(3);
    grid->addWidget(icon_, 0, 0, 2, 1);
    grid->addWidget(title_, 0, 1);
    grid->addWidget(time_, 0, 2);
    grid->addWidget(detail_, 1, 1, 1, 2);
    grid->addWidget(bar_, 2, 1, 1, 2);
    grid->addWidget(cancel_, 0, 3, 3, 1);
    grid->setColumnStretch(1, 1);
    connect(cancel_, &QToolButton::clicked, this, &JobCard::cancelWanted);
}

void JobCard::show(const JobRow& row) {
    using State = JobRow::State;
    over_ = row.state == State::done || row.state == State::failed || row.state == State::cancelled;
    title_->setText(row.title);
    title_->setToolTip(row.title);
    bar_->setVisible(!over_);
    bar_->setValue(int(row.fraction * 1000));
    bar_->setAccessibleName(tr("Progress of %1").arg(row.title));
    cancel_->setVisible(!over_);
    cancel_->setEnabled(row.state != State::stopping);
    const char* icon = row.state == State::done        ? "done"
                       : row.state == State::failed    ? "error"
                       : row.state == State::cancelled ? "close"
                       : row.state == State::queued    ? "recent"
                                                       : "run";
    icon_->setIcon(QLatin1String(icon), !over_);
    switch (row.state) {
        case State::queued:
            detail_->setText(tr("Waiting"));
            break;
        case State::stopping:
            detail_->setText(tr("Stopping…"));
            break;
        case State::running:
            detail_->setText(row.item.isEmpty() ? row.phase
                                                : QStringLiteral("%1: %2").arg(row.phase, row.item));
            break;
        default:
            detail_->setText(row.outcome);
    }
    detail_->setToolTip(detail_->text());
    if (row.state == State::running && row.left >= 0)
        time_->setText(tr("%1 % · %2 left").arg(int(row.fraction * 100)).arg(durationText(row.left)));
    else if (row.state == State::running)
        time_->setText(tr("%1 %").arg(int(row.fraction * 100)));
    else
        time_->setText(over_ ? durationText(row.elapsed) : QString());
}

}  // namespace owq
