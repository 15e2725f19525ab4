// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QFrame>

#include "widgets/jobs/job_row.h"

class QLabel;
class QProgressBar;
class QToolButton;

namespace owq {

class IconLabel;

/// One job: title, what it is doing, bar, time left, Cancel.
class JobCard : public QFrame {
    Q_OBJECT
public:
    explicit JobCard(QWidget* parent = nullptr);
    void show(const JobRow& row);
    bool over() const { return over_; }

Q_SIGNALS:
    void cancelWanted();

private:
    IconLabel* icon_;
    QLabel *title_, *detail_, *time_;
    QProgressBar* bar_;
    QToolButton* cancel_;
    bool over_ = false;
};

}  // namespace owq
