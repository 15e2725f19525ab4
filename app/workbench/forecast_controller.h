// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>

#include "app/workbench/budget_controller.h"

class QTimer;

namespace owq {

/// Tells both panels what the run they describe would take of this machine: a plan (`--dry-run`) made shortly after the last change.
class ForecastController : public QObject {
    Q_OBJECT
public:
    ForecastController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, RunPanel& run, BudgetPanel& budgetPanel,
                       const BudgetController& budget, QObject* parent = nullptr);

private:
    void forecast();
    void show(const RunForecast& forecast);
    JobRunner& runner_;
    const JobFunctions& jobs_;
    Workspace& workspace_;
    RunPanel& run_;
    BudgetPanel& budgetPanel_;
    const BudgetController& budget_;
    QTimer* soon_;
};

}  // namespace owq
