// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QHash>
#include <QObject>

#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "app/workbench/workspace.h"
#include "widgets/results/results_view.h"

namespace owq {

/// The table of the original and its runs: fills it, measures perplexity, exports.
class ResultsController : public QObject {
    Q_OBJECT
public:
    ResultsController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, ResultsView& view,
                      QObject* parent = nullptr);

    /// Reads the summary of a run of `model` and puts it into the table, once another model is open only among the known runs; an unfinished
    /// one is offered for resuming, or not.
    void addRun(const QString& directory, const QString& model, bool offerResume = true);
    void addRun(const RunSummary& run);
    /// A row that a project kept. A run that is gone keeps its row, too.
    void restoreRun(const ResultRow& kept);  ///< path, name, note and what was measured count
    void measure(const QStringList& paths);
    void exportRun(const QString& path);
    /// The original first, then finished runs: what can generate and be measured.
    void usableModels(QStringList& names, QStringList& paths) const;

Q_SIGNALS:
    void modelsChanged();
    void showWanted(const QString& path);
    void unfinishedFound(const owq::RunSummary& run);  ///< of addRun, for offering to resume
    void failed(const owq::Failure& failure);
    void measured(const QString& name, const QString& text, double perplexity, const QStringList& divergence);
    void warned(const QStringList& warnings);  ///< of a measurement, named by its model
    void answered(const QString& name, const QString& questions, const QString& share);

private:
    void fillForModel();
    void readEvaluations(const QString& run);  ///< that lie in its folder
    void ask(const ResultRow& row, const MeasureSettings& settings, const QString& task);
    void add(const QString& path, const Measurements& measured);
    void restore(ResultRow& row) const;
    JobRunner& runner_;
    const JobFunctions& jobs_;
    Workspace& workspace_;
    ResultsView& view_;
};

}  // namespace owq
