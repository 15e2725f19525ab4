// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <QStringList>

#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "widgets/tune/tune_panel.h"

namespace owq {

/// Weak column tuning: from the panel's settings to the job, and its losses into the plot as they come.
class TuneController : public QObject {
    Q_OBJECT
public:
    TuneController(JobRunner& runner, const JobFunctions& jobs, TunePanel& panel, QObject* parent = nullptr);

    /// What can be tuned. The opened model is among it where it turns out to be packed with weak columns.
    void setModels(const QStringList& names, const QStringList& paths, const QString& opened);

Q_SIGNALS:
    void finished(const QString& model, const QString& task);  ///< path of the task file
    void warned(const QStringList& warnings);
    void failed(const owq::Failure& failure);

private:
    TuneOptions optionsOf(const TunePanel::Request& request) const;
    void showModels();
    void tune(const TunePanel::Request& request);
    void forecast(const TunePanel::Request& request);

    JobRunner& runner_;
    const JobFunctions& jobs_;
    TunePanel& panel_;
    quint64 job_ = 0;
    QStringList names_, paths_;
    QString opened_;
    bool openedIsTunable_ = false;
};

}  // namespace owq
