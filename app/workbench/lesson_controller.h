// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>

#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "app/workbench/workspace.h"
#include "widgets/run_panel/run_settings.h"

class QAction;

namespace owq {

class LessonView;

/// Has the lesson computed and shows it in a window of its own. It is left and found again at the same step.
class LessonController : public QObject {
    Q_OBJECT
public:
    LessonController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, QAction* help, QWidget& window);
    /// About `layer` of the open model; where that is no checkpoint, or none is open, about the sample model.
    void open(const QString& layer, const RunSettings& settings);
    LessonView* view() const { return view_; }

private:
    struct Subject {
        QString model, layer, text;
        bool operator==(const Subject&) const = default;
        QString key() const { return model + QLatin1Char('\n') + layer; }
    };
    void makeView();
    void compute();
    void follow(const JobRow& row);

    JobRunner& runner_;
    const JobFunctions& jobs_;
    Workspace& workspace_;
    QAction* help_;
    QWidget& window_;
    LessonView* view_ = nullptr;
    Subject subject_, shown_;
    quint64 job_ = 0;
};

}  // namespace owq
