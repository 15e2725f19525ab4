// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/lesson_controller.h"

#include <QAction>
#include <QFileInfo>
#include <QSettings>

#include "app/workbench/help_controller.h"
#include "app/workbench/sample.h"
#include "app/workbench/settings.h"
#include "app/workbench/translate_lesson.h"
#include "widgets/figure/figure_dialog.h"
#include "widgets/lesson/lesson_view.h"

namespace owq {

LessonController::LessonController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, QAction* help, QWidget& window)
    : QObject(&window), runner_(runner), jobs_(jobs), workspace_(workspace), help_(help), window_(window) {
    connect(&runner_, &JobRunner::jobChanged, this, &LessonController::follow);
}

void LessonController::makeView() {
    view_ = new LessonView(&window_);
    view_->addAction(help_);
    HelpController::setTopic(view_, "lesson");
    connect(view_, &LessonView::cancelWanted, this, [this] { runner_.cancel(job_); });
    connect(view_, &LessonView::againWanted, this, &LessonController::compute);
    connect(view_, &LessonView::stepChanged, this, [](int step) { QSettings().setValue(QLatin1String(keys::lessonStep), step); });
    connect(view_, &LessonView::figureRequested, this, [this](const FigureSource& source) {
        FigureOptions options;
        options.widthMm = 175, options.heightMm = 85;
        auto* dialog = new FigureDialog(options, source, view_);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->show();
    });
}

void LessonController::open(const QString& layer, const RunSettings& settings) {
    const bool own = workspace_.isOpen() && workspace_.model().kind == ModelKind::checkpoint;
    // A token file need not be of few or short windows; a text is cut as the lesson asks.
    const bool text = QFileInfo(settings.calibrationFile).isFile() && !settings.calibrationFile.endsWith(QLatin1String(".safetensors"));
    subject_ = {own ? workspace_.path() : sampleModel(), own ? layer : QString(),
                own && text ? settings.calibrationFile : sampleFolder() + QStringLiteral("/calibration.txt")};
    if (!view_) makeView();
    view_->show();
    view_->raise();
    view_->activateWindow();
    if (job_ == 0 && view_->hasLesson() && subject_ == shown_) return;
    compute();
}

void LessonController::compute() {
    if (subject_.model.isEmpty())
        return view_->showFailure(tr("The sample model was not found beside the program."),
                                  tr("Install the program with its data, or open a checkpoint of your own first."));
    LessonOptions options;
    options.model = toPath(subject_.model);
    options.linear = subject_.layer.toStdString();
    options.calibration.text = toPath(subject_.text);
    view_->showBusy(tr("Preparing the lesson…"), -1);
    const QString model = QFileInfo(subject_.model).fileName(), text = QFileInfo(subject_.text).fileName();
    job_ = runner_.submit<LessonDataPtr>(
        {tr("Prepare the lesson on %1").arg(model), JobRunner::Lane::compute, QStringLiteral("lesson")},
        [options, model, text, jobs = jobs_](JobRunner::Context& context) {
            return lessonData(jobs.lesson(options, context.progress, context.stop), model, text);
        },
        [this, subject = subject_](const LessonDataPtr& data) {
            job_ = 0;
            shown_ = subject;
            const bool same = QSettings().value(QLatin1String(keys::lessonOf)).toString() == subject.key();
            QSettings().setValue(QLatin1String(keys::lessonOf), subject.key());
            view_->setLesson(data, same ? QSettings().value(QLatin1String(keys::lessonStep)).toInt() : 0);
        },
        [this](const Failure& failure) {
            job_ = 0;
            view_->showFailure(failure.where.isEmpty() ? failure.happened : QStringLiteral("%1: %2").arg(failure.where, failure.happened),
                               failure.remedy);
        },
        [this] {
            job_ = 0;
            view_->showFailure(tr("Stopped."), {});
        });
    if (runner_.currentComputing() != job_) view_->showBusy(tr("Waiting for the job that is running…"), -1);
}

void LessonController::follow(const JobRow& row) {
    if (row.id != job_ || !view_) return;
    if (row.state == JobRow::State::running && !row.phase.isEmpty())
        view_->showBusy(QStringLiteral("%1 %2").arg(row.phase, row.item), row.fraction);
}

}  // namespace owq
