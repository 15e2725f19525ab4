// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/opener.h"

#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>
#include <QSet>
#include <QSettings>
#include <QTimer>
#include <utility>

#include "app/workbench/settings.h"

namespace owq {
namespace {

/// A folder written by `owq quantize` or `owq calibrate`.
bool looksLikeRun(const std::filesystem::path& path) {
    std::error_code error;
    return std::filesystem::exists(path / "recipe.json", error) ||
           std::filesystem::exists(path / "statistics.h5", error);
}

/// Block and kind of a linear from its name alone.
LinearInfo placed(LinearInfo linear) {
    static const QRegularExpression block(QStringLiteral("(?:^|\\.)(?:layers|h)\\.(\\d+)\\."));
    const QString name = QString::fromStdString(linear.name);
    linear.block = block.match(name).captured(1).toInt();
    if (linear.kind.empty())
        linear.kind = name.section(QLatin1Char('.'), -1).section(QLatin1Char('_'), 0, 0).toStdString();
    return linear;
}

}  // namespace

Opener::Opener(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), workspace_(workspace) {}

Opener::Outcome Opener::read(const QString& path, const JobFunctions& jobs, JobRunner::Context& context) {
    Outcome outcome;
    outcome.modelPath = path;
    if (looksLikeRun(toPath(path))) {
        outcome.run = jobs.openRun(toPath(path));
        outcome.modelPath = fromPath(outcome.run->model);
        outcome.layers = Workspace::shared(jobs.readRunLayers(toPath(path), context.stop));
    }
    InspectOptions options;
    options.model = toPath(outcome.modelPath);
    try {
        outcome.model =
            std::make_shared<const InspectResult>(jobs.inspect(options, context.progress, context.stop));
    } catch (const Error&) {
        // The run still shows what it holds when the checkpoint has moved; without a single layer there is
        // nothing to show.
        if (outcome.layers.empty()) throw;
        auto model = std::make_shared<InspectResult>();
        model->path = toPath(path);
        for (const Workspace::ReportPtr& layer : outcome.layers) model->info.linears.push_back(placed(layer->linear));
        outcome.model = model;
        outcome.modelPath.clear();
    }
    return outcome;
}

void Opener::open(const QString& given) {
    const QString path = QDir::cleanPath(QFileInfo(given).absoluteFilePath());
    runner_.submit<Outcome>(
        {tr("Open %1").arg(QFileInfo(path).fileName()), JobRunner::Lane::reading, QStringLiteral("open"),
         false},
        [path, jobs = jobs_](JobRunner::Context& context) { return read(path, jobs, context); },
        [this, path](const Outcome& outcome) {
            if (outcome.model->info.linears.empty())
                return Q_EMIT failed({tr("This holds %n tensors, but no model that can be quantized", nullptr,
                                         int(outcome.model->tensors.size())),
                                      path, tr("Open the folder with config.json and the weights.")});
            rangesAsked_.clear();
            rangesFailed_.clear();
            workspace_.openModel(outcome.modelPath.isEmpty() ? path : outcome.modelPath, outcome.model);
            remember(path);
            // In a turn of the event loop of its own: filling the tree and showing the panels together would hold the window for too long.
            QTimer::singleShot(0, this, [this, path, outcome] { announce(path, outcome); });
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void Opener::announce(const QString& path, const Outcome& outcome) {
    Q_EMIT opened(path);
    if (outcome.run) {
        const QString source = outcome.run->analysis ? Workspace::kAnalysis : path;
        workspace_.show(source);
        workspace_.putReports(source, outcome.layers);
        Q_EMIT runOpened(*outcome.run);
    }
    if (outcome.modelPath.isEmpty())
        Q_EMIT notice({tr("The run's model is not where it was"), fromPath(outcome.run->model),
                       tr("Its numbers are shown; measuring and exporting need the model back in its place.")});
}

void Opener::loadRanges(const QString& layer) {
    if (!workspace_.isOpen() || rangesAsked_.contains(layer) || !workspace_.needsRanges(layer)) return;
    rangesAsked_.insert(layer);
    InspectOptions options;
    options.model = toPath(workspace_.path());
    options.layer = layer.toStdString();
    runner_.submit<InspectResult>(
        {tr("Column ranges of %1").arg(layer), JobRunner::Lane::reading, {}, false},
        [options, jobs = jobs_](JobRunner::Context& context) {
            return jobs.inspect(options, context.progress, context.stop);
        },
        [this, layer, model = workspace_.path()](const InspectResult& result) {
            if (model != workspace_.path()) return;
            rangesFailed_.clear();
            if (!result.ranges.empty()) workspace_.putRanges(layer, result.ranges.front());
        },
        [this, layer, model = workspace_.path()](const Failure& failure) {
            if (model != workspace_.path()) return;
            rangesAsked_.remove(layer);  // the next selection tries again
            // A block of layers fails for one reason, which is told once.
            if (std::exchange(rangesFailed_, failure.happened) == failure.happened) return;
            Q_EMIT failed(QFileInfo::exists(model) ? failure
                                                   : Failure{tr("The model is not there any more"), model,
                                                             tr("What was read of it stays in the window. Put it back, or open it where it is now.")});
        });
}

void Opener::loadRun(const QString& directory) {
    if (workspace_.hasReports(directory)) return workspace_.show(directory);
    struct Loaded {
        RunSummary run;
        std::vector<Workspace::ReportPtr> layers;
    };
    runner_.submit<Loaded>(
        {tr("Read %1").arg(QFileInfo(directory).fileName()), JobRunner::Lane::reading, QStringLiteral("run"),
         false},
        [directory, jobs = jobs_](JobRunner::Context& context) {
            Loaded loaded{jobs.openRun(toPath(directory)), {}};
            loaded.layers = Workspace::shared(jobs.readRunLayers(toPath(directory), context.stop));
            return loaded;
        },
        [this, directory, model = workspace_.path()](const Loaded& loaded) {
            if (model != workspace_.path()) return;
            workspace_.show(directory);
            workspace_.putReports(directory, loaded.layers);
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void Opener::loadAnalysis(const QString& folder, bool show) {
    runner_.submit<std::vector<Workspace::ReportPtr>>(
        {tr("Read %1").arg(QFileInfo(folder).fileName()), JobRunner::Lane::reading, QStringLiteral("analysis"), false},
        [folder, jobs = jobs_](JobRunner::Context& context) { return Workspace::shared(jobs.readRunLayers(toPath(folder), context.stop)); },
        [this, show, model = workspace_.path()](const std::vector<Workspace::ReportPtr>& layers) {
            if (model != workspace_.path()) return;
            workspace_.putReports(Workspace::kAnalysis, layers);
            if (show) workspace_.show(Workspace::kAnalysis);
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

QStringList Opener::recent() {
    return QSettings().value(QLatin1String(keys::recent)).toStringList();
}

void Opener::clearRecent() {
    QSettings().remove(QLatin1String(keys::recent));
}

void Opener::remember(const QString& path) {
    QStringList list = recent();
    list.removeAll(path);
    list.prepend(path);
    QSettings().setValue(QLatin1String(keys::recent), QStringList(list.mid(0, keys::recentCount)));
    QSettings().setValue(QLatin1String(keys::folder), QFileInfo(path).path());
    Q_EMIT recentChanged();
}

}  // namespace owq
