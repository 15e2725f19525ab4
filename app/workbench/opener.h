// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <QSet>
#include <optional>

#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "app/workbench/workspace.h"

namespace owq {

/// Opens whatever a person drops: a checkpoint (folder, shard, index), a run directory, an analysis, a packed
/// model. Reading happens on the reading thread, from headers alone.
class Opener : public QObject {
    Q_OBJECT
public:
    Opener(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, QObject* parent = nullptr);

    void open(const QString& path);
    /// Column ranges of one linear of the open model, once.
    void loadRanges(const QString& layer);
    /// All finished layers of a run into the workspace, then shows it.
    void loadRun(const QString& directory);
    /// What `owq calibrate --out` wrote, as the numbers of the unquantized model.
    void loadAnalysis(const QString& folder, bool show);
    void remember(const QString& path);  ///< among the recent ones

    static QStringList recent();
    static void clearRecent();

Q_SIGNALS:
    void opened(const QString& path);
    void runOpened(const owq::RunSummary& run);  ///< after opened(), when the path was a run or an analysis
    void notice(const owq::Failure& notice);     ///< something worth saying that stops nothing
    void failed(const owq::Failure& failure);
    void recentChanged();

private:
    struct Outcome {
        QString modelPath;
        std::shared_ptr<const InspectResult> model;
        std::optional<RunSummary> run;
        std::vector<Workspace::ReportPtr> layers;
    };
    static Outcome read(const QString& path, const JobFunctions& jobs, JobRunner::Context& context);
    void announce(const QString& path, const Outcome& outcome);

    JobRunner& runner_;
    const JobFunctions& jobs_;
    Workspace& workspace_;
    QSet<QString> rangesAsked_;
    QString rangesFailed_;  ///< what was told last of ranges that cannot be read
};

}  // namespace owq
