// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>

#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "app/workbench/workspace.h"
#include "widgets/compare/compare_panel.h"

namespace owq {

/// Two finished runs in the same axes, in the tree's columns of differences and in a table of their own.
class ComparisonController : public QObject {
    Q_OBJECT
public:
    ComparisonController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, ComparePanel& panel, QObject* parent = nullptr);
    void compare(const QString& a, const QString& b, bool raise = true);
    void end();

Q_SIGNALS:
    void begun();
    void failed(const owq::Failure& failure);

private:
    JobRunner& runner_;
    const JobFunctions& jobs_;
    Workspace& workspace_;
    ComparePanel& panel_;
};

}  // namespace owq
