// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/try_controller.h"

#include <QFileInfo>

#include "app/workbench/translate.h"

namespace owq {

TryController::TryController(JobRunner& runner, const JobFunctions& jobs, TryPanel& panel, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), panel_(panel) {
    connect(&panel_, &TryPanel::generateWanted, this, &TryController::generate);
    connect(&panel_, &TryPanel::stopWanted, this, [this] { runner_.cancel(job_); });
}

void TryController::generate(const TryPanel::Request& request) {
    GenerateOptions options;
    options.model = toPath(request.model);
    options.prompt = request.prompt.toStdString();
    options.maxTokens = request.maxTokens;
    options.temperature = request.temperature;
    options.topP = request.topP;
    options.seed = request.seed;
    panel_.begin(request.prompt);
    job_ = runner_.submit<GenerateResult>(
        {tr("Write with %1").arg(QFileInfo(request.model).fileName()), JobRunner::Lane::compute, {}},
        [this, options, jobs = jobs_](JobRunner::Context& context) mutable {
            options.onText = [this, &context](const std::string& text) {
                context.post([this, text = QString::fromStdString(text)] { panel_.addText(text); });
            };
            return jobs.generate(options, context.progress, context.stop);
        },
        [this](const GenerateResult& result) {
            panel_.end(tr("%1 tokens, %2 tokens per second; stopped by: %3")
                           .arg(result.ids.size())
                           .arg(result.decodeRate(), 0, 'f', 1)
                           .arg(QString::fromStdString(result.stopReason)));
        },
        [this](const Failure& failure) {
            panel_.end(failure.happened);
            Q_EMIT failed(failure);
        },
        [this] { panel_.end(tr("Stopped")); });
}

}  // namespace owq
