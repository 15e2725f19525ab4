// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/tune_controller.h"

#include <QFileInfo>
#include <QMessageBox>
#include <cmath>

#include "app/workbench/translate.h"
#include "widgets/common/format.h"
#include "widgets/tune/loss_plot.h"

namespace owq {
namespace {

QString perplexityText(double loss) { return QString::number(std::exp(loss), 'f', 3); }

QString resultText(const TuneResult& result) {
    QString text = TuneController::tr("%1 steps, %2: %3").arg(result.steps).arg(QString::fromStdString(result.ended), fromPath(result.task));
    if (result.validationBefore && result.validationAfter)
        text += TuneController::tr("\nPerplexity of what was held out: %1 before, %2 after")
                    .arg(perplexityText(*result.validationBefore), perplexityText(*result.validationAfter));
    return text;
}

/// With what the window can do about it.
Failure inTheWindow(Failure failure) {
    if (failure.remedy.contains(QLatin1String("--force")))
        failure.remedy = TuneController::tr("Begin anew replaces what the folder holds. Or give the settings it was tuned with, or another folder.");
    else if (failure.remedy.contains(QLatin1String("--out")))
        failure.remedy = TuneController::tr("Choose another folder.");
    return failure;
}

}  // namespace

TuneController::TuneController(JobRunner& runner, const JobFunctions& jobs, TunePanel& panel, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), panel_(panel) {
    connect(&panel_, &TunePanel::tuneWanted, this, &TuneController::tune);
    connect(&panel_, &TunePanel::forecastWanted, this, &TuneController::forecast);
    connect(&panel_, &TunePanel::stopWanted, this, [this] { runner_.cancel(job_); });
}

void TuneController::setModels(const QStringList& names, const QStringList& paths, const QString& opened) {
    names_ = names;
    paths_ = paths;
    if (opened == opened_) return showModels();
    opened_ = opened;
    openedIsTunable_ = false;
    showModels();
    runner_.submit<bool>(
        {tr("Look for weak columns"), JobRunner::Lane::reading, QStringLiteral("weak columns"), false},
        [opened, jobs = jobs_](JobRunner::Context&) { return jobs.hasWeakColumns(toPath(opened)); },
        [this](const bool& tunable) {
            openedIsTunable_ = tunable;
            showModels();
        },
        [](const Failure&) {});  // what cannot be read cannot be tuned
}

void TuneController::showModels() {
    QStringList names = names_, paths = paths_;
    if (const qsizetype i = paths.indexOf(opened_); i >= 0 && !openedIsTunable_) names.removeAt(i), paths.removeAt(i);
    panel_.setModels(names, paths);
}

TuneOptions TuneController::optionsOf(const TunePanel::Request& request) const {
    TuneOptions options;
    options.model = toPath(request.model);
    options.data = toPath(request.data);
    options.validation = toPath(request.validation);
    options.out = toPath(request.out);
    options.sequenceLength = request.sequenceLength;
    options.settings.epochs = request.epochs;
    options.settings.accumulate = request.accumulate;
    options.settings.learningRate = request.learningRate;
    options.settings.seed = request.seed;
    options.resume = !request.anew;  // an empty folder begins anew
    options.force = request.anew;
    return options;
}

void TuneController::tune(const TunePanel::Request& request) {
    if (request.anew && QMessageBox::question(&panel_, tr("Replace the tuning?"), tr("What was learned in %1 is lost, its task file too.").arg(request.out),
                                              QMessageBox::Yes | QMessageBox::Cancel, QMessageBox::Cancel) != QMessageBox::Yes)
        return;
    panel_.begin();
    job_ = runner_.submit<TuneResult>(
        {tr("Tune %1").arg(QFileInfo(request.model).fileName()), JobRunner::Lane::compute, {}},
        [this, options = optionsOf(request), jobs = jobs_](JobRunner::Context& context) mutable {
            options.onPoint = [this, &context](const TuningPoint& point) {
                context.post([this, point] {
                    panel_.plot().add({static_cast<int>(point.step), point.loss, point.validation});
                    if (!point.validation) panel_.setStatus(tr("Step %1, loss %2").arg(point.step).arg(point.loss, 0, 'f', 4));
                });
            };
            return jobs.tune(options, context.progress, context.stop);
        },
        [this, model = request.model](const TuneResult& result) {
            panel_.end(resultText(result));
            QStringList warnings;
            for (const std::string& warning : result.warnings) warnings << QString::fromStdString(warning);
            if (!warnings.isEmpty()) Q_EMIT warned(warnings);
            Q_EMIT finished(model, fromPath(result.task));
        },
        [this](const Failure& failure) {
            panel_.end(failure.happened);
            Q_EMIT failed(inTheWindow(failure));
        },
        [this] { panel_.end(tr("Stopped; Tune goes on from here")); });
}

void TuneController::forecast(const TunePanel::Request& request) {
    TuneOptions options = optionsOf(request);
    options.dryRun = true;
    panel_.setForecast(tr("Computing one window…"));
    runner_.submit<TuneResult>(
        {tr("Forecast of the tuning"), JobRunner::Lane::compute, QStringLiteral("tuning forecast")},
        [options, jobs = jobs_](JobRunner::Context& context) { return jobs.tune(options, context.progress, context.stop); },
        [this](const TuneResult& result) {
            panel_.plot().setPlanned(static_cast<int>(result.plannedSteps));
            panel_.setForecast(tr("%1 weights of %2 linears, %3 steps: about %4 and %5 of memory")
                                   .arg(result.parameters)
                                   .arg(result.linears)
                                   .arg(result.plannedSteps)
                                   .arg(durationText(result.secondsPerStep * static_cast<double>(result.plannedSteps)),
                                        bytesText(static_cast<double>(result.forecast.bytes()))));
        },
        [this](const Failure& failure) {
            panel_.setForecast({});
            Q_EMIT failed(failure);
        },
        [this] { panel_.setForecast({}); });
}

}  // namespace owq
