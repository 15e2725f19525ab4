// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>

#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "widgets/try_it/try_panel.h"

namespace owq {

/// Lets the chosen model go on from a prompt; text appears as it comes.
class TryController : public QObject {
    Q_OBJECT
public:
    TryController(JobRunner& runner, const JobFunctions& jobs, TryPanel& panel, QObject* parent = nullptr);

Q_SIGNALS:
    void failed(const owq::Failure& failure);

private:
    void generate(const TryPanel::Request& request);
    JobRunner& runner_;
    const JobFunctions& jobs_;
    TryPanel& panel_;
    quint64 job_ = 0;
};

}  // namespace owq
