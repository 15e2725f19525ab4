// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QHash>
#include <QObject>
#include <vector>

#include "app/workbench/budget_controller.h"
#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "app/workbench/workspace.h"
#include "widgets/run_panel/run_panel.h"

namespace owq {

/// Analyze, Run and Resume: from the panel's settings to jobs, and their layers into the workspace as they
/// are finished.
class RunController : public QObject {
    Q_OBJECT
public:
    RunController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, RunPanel& panel,
                  const BudgetController& budget, QObject* parent = nullptr);

    void analyze();
    void showWindows();  ///< of calibration
    void run();
    void resume(const RunSummary& unfinished);
    void cancel();
    const QString& analysisFolder() const { return analysis_; }  ///< where the open model's analysis was written; may be empty
    void setAnalysisFolder(const QString& folder) { analysis_ = folder; }
    /// Directories of the open model's runs that were started and have not ended.
    QStringList underWay() const;
    /// Settings that suit the model just opened: the sample's own texts, a fresh run directory.
    void suggestSettings();

Q_SIGNALS:
    void runStarted(const QString& directory, const QString& title);
    void runFinished(const QString& directory, const QString& model);  ///< read it back with openRun; another model may be open
    void runStopped(const QString& directory, const QString& model, bool failed);  ///< can be resumed; failed: after failed()
    void underWayChanged();
    void warned(const QStringList& warnings);
    void failed(const owq::Failure& failure);

private:
    struct UnderWay {
        QString model;
        QString shown, comparedWith;  ///< when it was started
        std::vector<Workspace::ReportPtr> layers;
    };
    void start(QuantizeOptions options, const QString& model);
    void takeLayer(const QString& directory, const LayerReport& layer);
    void end(const QString& directory);
    void suggestOut();

    JobRunner& runner_;
    const JobFunctions& jobs_;
    Workspace& workspace_;
    RunPanel& panel_;
    const BudgetController& budget_;
    QHash<QString, UnderWay> underWay_;  ///< by directory
    QString suggestedOut_, analysis_;
    bool suggesting_ = false;
};

}  // namespace owq
