// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/results_controller.h"

#include <QFileInfo>
#include <QPointer>
#include <QSettings>
#include <type_traits>

#include "app/workbench/measured.h"
#include "app/workbench/sample.h"
#include "app/workbench/settings.h"
#include "core/base/file.h"
#include "widgets/export_dialog/export_dialog.h"

namespace owq {
namespace {

void know(const QString& run) {
    QSettings kept;
    QStringList known = kept.value(QLatin1String(keys::knownRuns)).toStringList();
    known.removeAll(run);
    known.append(run);
    kept.setValue(QLatin1String(keys::knownRuns), QStringList(known.mid(std::max<qsizetype>(0, known.size() - 200))));
}

/// Tells apart what owq compare tells apart.
QString textKey(const ComparedPerplexity& p) {
    QStringList parts{QString::fromStdString(p.text)};
    if (!p.protocol.empty() && p.protocol != "plain") parts << QString::fromStdString(p.protocol);
    if (p.windows > 0) parts << QStringLiteral("%1 × %2").arg(p.windows).arg(p.sequenceLength);
    if (!p.arithmetic.empty() && p.arithmetic != "dense") parts << QString::fromStdString(p.arithmetic);
    if (!p.task.empty()) parts << QObject::tr("task %1").arg(QString::fromStdString(p.task));
    return parts.join(QStringLiteral(" · "));
}

Measurements measurementsOf(const std::vector<ComparedPerplexity>& all) {
    Measurements m;
    for (const ComparedPerplexity& p : all) {
        const QString text = textKey(p);
        m.perplexity.insert(text, p.perplexity);
        if (p.kl) m.kl.insert(text, *p.kl);
        if (p.klError) m.klError.insert(text, *p.klError);
        if (p.top1Agreement) m.top1.insert(text, *p.top1Agreement);
    }
    return m;
}

/// A measurement that finds no place in the run's folder still counts.
void keepInFolder(EvaluateResult& result, const std::filesystem::path& run, const JobFunctions& jobs) {
    try {
        jobs.keepEvaluation(run, result);
    } catch (const std::exception& e) {
        result.warnings.push_back("Not kept in the run's folder, where owq compare would find it: " + std::string(e.what()));
    }
}

QString measuredKey(const char* what, const QString& path) {
    return keys::of((QByteArray(keys::measured) + '/' + what).constData(), path);
}

void remember(const QString& path, const Measurements& measured) {
    QSettings kept;
    const auto add = [&](const char* what, const auto& values) {
        if (values.isEmpty()) return;
        QVariantMap all = kept.value(measuredKey(what, path)).toMap();
        for (auto it = values.cbegin(); it != values.cend(); ++it) all.insert(it.key(), it.value());
        kept.setValue(measuredKey(what, path), all);
    };
    for (const MeasuredNumbers& numbers : kMeasuredNumbers) add(numbers.name, measured.*numbers.values);
    add("details", measured.details);
}

double freeSpaceAt(const QString& path) {
    try {
        return double(freeSpace(toPath(path)));
    } catch (const Error&) {
        return -1;
    }
}

}  // namespace

ResultsController::ResultsController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace,
                                     ResultsView& view, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), workspace_(workspace), view_(view) {
    connect(&workspace_, &Workspace::modelChanged, this, &ResultsController::fillForModel);
    connect(&view_, &ResultsView::measureWanted, this, &ResultsController::measure);
    connect(&view_, &ResultsView::exportWanted, this, &ResultsController::exportRun);
    connect(&view_, &ResultsView::showWanted, this, &ResultsController::showWanted);
    connect(&view_.model(), &ResultsModel::renamed, this, [this](const QString& path, const QString& name) {
        QSettings().setValue(keys::of(keys::runNames, path), name);
        Q_EMIT modelsChanged();
    });
    connect(&view_.model(), &ResultsModel::noted, this, [](const QString& path, const QString& note) {
        QSettings().setValue(keys::of(keys::runNotes, path), note);
    });
    const QSettings kept;
    MeasureSettings settings;
    settings.text = kept.value(QLatin1String(keys::evaluationText)).toString();
    if (!QFileInfo(settings.text).isFile())
        settings.text =
            sampleFolder().isEmpty() ? QString() : sampleFolder() + QStringLiteral("/heldout.txt");
    settings.protocol = kept.value(QLatin1String(keys::evaluationProtocol), settings.protocol).toString();
    settings.windows = kept.value(QLatin1String(keys::evaluationWindows), 32).toInt();
    settings.divergence = kept.value(QLatin1String(keys::evaluationDivergence)).toBool();
    settings.task = kept.value(QLatin1String(keys::evaluationTask)).toString();
    settings.shots = kept.value(QLatin1String(keys::evaluationShots), settings.shots).toInt();
    settings.examples = kept.value(QLatin1String(keys::evaluationExamples)).toString();
    view_.setMeasureSettings(settings);
}

void ResultsController::restore(ResultRow& row) const {
    const QSettings kept;
    row.name = kept.value(keys::of(keys::runNames, row.path), row.name).toString();
    row.note = kept.value(keys::of(keys::runNotes, row.path)).toString();
    const auto read = [&](const char* what, auto& values) {
        using Value = std::decay_t<decltype(values.first())>;
        const QVariantMap measured = kept.value(measuredKey(what, row.path)).toMap();
        for (auto it = measured.cbegin(); it != measured.cend(); ++it) values.insert(it.key(), it.value().value<Value>());
    };
    for (const MeasuredNumbers& numbers : kMeasuredNumbers) read(numbers.name, row.*numbers.values);
    read("details", row.details);
}

void ResultsController::fillForModel() {
    view_.model().clear();
    ResultRow original;
    original.path = workspace_.path();
    original.name = workspace_.title();
    original.original = true;
    original.state = tr("original");
    original.method = QString::fromUtf8(name(workspace_.model().info.dtype).data());
    original.storedBits = 8.0 * double(byteSize(workspace_.model().info.dtype));
    original.bytes = double(workspace_.model().info.bytes);
    restore(original);
    view_.model().put(original);
    Q_EMIT modelsChanged();

    const QStringList known = QSettings().value(QLatin1String(keys::knownRuns)).toStringList();
    const QString model = workspace_.path();
    if (known.isEmpty()) return;
    runner_.submit<std::vector<RunSummary>>(
        {tr("Read earlier runs"), JobRunner::Lane::reading, QStringLiteral("known runs"), false},
        [known, model, jobs = jobs_](JobRunner::Context& context) {
            std::vector<RunSummary> runs;
            for (const QString& directory : known) {
                checkStop(context.stop);
                try {
                    RunSummary run = jobs.openRun(toPath(directory));
                    if (sameModel(run.model, toPath(model)) && !run.analysis) runs.push_back(std::move(run));
                } catch (const Error&) {  // deleted or moved since: no longer known, and nobody asked for it
                }
            }
            return runs;
        },
        [this, model](const std::vector<RunSummary>& runs) {
            if (model != workspace_.path()) return;
            for (const RunSummary& run : runs) addRun(run);
        },
        [](const Failure&) {});
}

void ResultsController::addRun(const QString& directory, const QString& model, bool offerResume) {
    runner_.submit<RunSummary>(
        {tr("Read %1").arg(directory), JobRunner::Lane::reading, {}, false},
        [directory, jobs = jobs_](JobRunner::Context&) { return jobs.openRun(toPath(directory)); },
        [this, model, offerResume](const RunSummary& run) {
            if (model != workspace_.path()) return know(fromPath(run.directory));
            addRun(run);
            view_.select(fromPath(run.directory));
            if (offerResume && !run.finished) Q_EMIT unfinishedFound(run);
        },
        // A run that failed before its first layer leaves no directory: its own failure was told already.
        [](const Failure&) {});
}

void ResultsController::addRun(const RunSummary& run) {
    if (run.analysis) return;
    ResultRow row = resultRow(run);
    restore(row);
    view_.model().put(row);
    know(row.path);
    Q_EMIT modelsChanged();
    readEvaluations(row.path);
}

void ResultsController::readEvaluations(const QString& run) {
    runner_.submit<std::vector<ComparedPerplexity>>(
        {tr("Read measurements of %1").arg(QFileInfo(run).fileName()), JobRunner::Lane::reading, {}, false},
        [run, jobs = jobs_](JobRunner::Context&) { return jobs.evaluationsOf(toPath(run)); },
        [this, run](const std::vector<ComparedPerplexity>& all) {
            if (!all.empty()) view_.model().add(run, measurementsOf(all));
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void ResultsController::restoreRun(const ResultRow& saved) {
    const QString& path = saved.path;
    QSettings kept;
    kept.setValue(keys::of(keys::runNames, path), saved.name);
    kept.setValue(keys::of(keys::runNotes, path), saved.note);
    remember(path, saved);
    if (const ResultRow* there = view_.model().find(path)) {
        ResultRow row = *there;
        restore(row);
        return view_.model().put(row);
    }
    ResultRow row;
    row.path = path;
    row.name = saved.name;
    row.finished = false;
    row.state = QFileInfo::exists(path) ? tr("is read…") : tr("not there any more");
    restore(row);
    view_.model().put(row);
    if (QFileInfo::exists(path)) addRun(path, workspace_.path());
}

void ResultsController::measure(const QStringList& paths) {
    const MeasureSettings settings = view_.measureSettings();
    QSettings kept;
    kept.setValue(QLatin1String(keys::evaluationText), settings.text);
    kept.setValue(QLatin1String(keys::evaluationProtocol), settings.protocol);
    kept.setValue(QLatin1String(keys::evaluationWindows), settings.windows);
    kept.setValue(QLatin1String(keys::evaluationDivergence), settings.divergence);
    kept.setValue(QLatin1String(keys::evaluationTask), settings.task);
    kept.setValue(QLatin1String(keys::evaluationShots), settings.shots);
    kept.setValue(QLatin1String(keys::evaluationExamples), settings.examples);
    for (const QString& path : paths) {
        const ResultRow* row = view_.model().find(path);
        if (!row || !row->finished) continue;
        // An original that is not packed has no weak columns to replace: it stays what the others are held against.
        const QString task = row->original && workspace_.model().kind != ModelKind::packed ? QString() : settings.task;
        if (settings.protocol == QLatin1String("questions")) {
            ask(*row, settings, task);
            continue;
        }
        EvaluateOptions options;
        options.model = toPath(path);
        (settings.text.endsWith(QLatin1String(".safetensors")) ? options.tokens : options.text) =
            toPath(settings.text);
        options.protocol = settings.protocol.toStdString();
        options.maxWindows = settings.windows;
        options.task = toPath(task);
        if (settings.divergence && (!row->original || !task.isEmpty())) options.against = toPath(workspace_.path());
        runner_.submit<EvaluateResult>(
            {tr("Perplexity of %1").arg(row->name), JobRunner::Lane::compute, {}},
            [options, isRun = !row->original, jobs = jobs_](JobRunner::Context& context) {
                EvaluateResult result = jobs.evaluate(options, context.progress, context.stop);
                if (isRun) keepInFolder(result, options.model, jobs);
                return result;
            },
            [this, path, name = row->name](const EvaluateResult& result) {
                const QString text = textKey(comparedPerplexity(result));
                add(path, measurementsOf(result, text));
                Q_EMIT measured(name, text, result.perplexity, result.divergence ? detailsOf(*result.divergence) : QStringList());
                QStringList warnings;
                for (const std::string& warning : result.warnings) warnings << tr("Perplexity of %1: %2").arg(name, QString::fromStdString(warning));
                if (!warnings.isEmpty()) Q_EMIT warned(warnings);
            },
            [this](const Failure& failure) { Q_EMIT failed(failure); });
    }
}

void ResultsController::add(const QString& path, const Measurements& measured) {
    view_.model().add(path, measured);
    remember(path, measured);
}

void ResultsController::ask(const ResultRow& row, const MeasureSettings& settings, const QString& task) {
    EvaluateTasksOptions options;
    options.model = toPath(row.path);
    options.task = toPath(task);
    options.tasks = {toPath(settings.text)};
    options.shotsFrom = toPath(settings.examples);
    options.shots.shots = settings.shots;
    options.shots.limit = settings.windows;
    runner_.submit<EvaluateTasksResult>(
        {tr("Questions for %1").arg(row.name), JobRunner::Lane::compute, {}},
        [options, jobs = jobs_](JobRunner::Context& context) { return jobs.ask(options, context.progress, context.stop); },
        [this, path = row.path, name = row.name, settings, task](const EvaluateTasksResult& result) {
            QString questions = QFileInfo(settings.text).fileName();
            if (!result.tasks.empty() && result.tasks.front().shots > 0) questions += tr(" · %1 shots").arg(result.tasks.front().shots) + (settings.examples.isEmpty() ? QString() : tr(" from %1").arg(QFileInfo(settings.examples).fileName()));
            if (settings.windows > 0) questions += tr(" · at most %1").arg(settings.windows);
            if (!task.isEmpty()) questions += tr(" · task %1").arg(taskName(task));
            add(path, measurementsOf(result, questions));
            Q_EMIT answered(name, questions, shareText(result));
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void ResultsController::exportRun(const QString& path) {
    const ResultRow* row = view_.model().find(path);
    if (!row || row->original || !row->finished) return;
    auto* dialog = new ExportDialog(path, QFileInfo(path).path(), view_.window());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setExpectedBytes(row->bytes, double(workspace_.model().info.bytes));
    dialog->setFreeSpace(freeSpaceAt);
    auto job = std::make_shared<quint64>(0);
    connect(
        dialog, &ExportDialog::exportWanted, this,
        [this, dialog = QPointer(dialog), job](const ExportDialog::Request& request) {
            ExportOptions options;
            options.run = toPath(request.run);
            options.format = request.format.toStdString();
            options.layout = request.layout.toStdString();
            options.task = toPath(request.task);
            options.out = toPath(request.out);
            options.force = request.replace;
            *job = runner_.submit<ExportResult>(
                {tr("Export %1 as %2").arg(QFileInfo(request.run).fileName(), request.format),
                 JobRunner::Lane::compute,
                 {}},
                [options, jobs = jobs_](JobRunner::Context& context) {
                    return jobs.exportModel(options, context.progress, context.stop);
                },
                [dialog](const ExportResult& result) {
                    QStringList verification;
                    for (const std::string& line : result.verification)
                        verification << QString::fromStdString(line);
                    if (dialog)
                        dialog->setDone(fromPath(result.out), double(result.bytes), verification,
                                        QString::fromStdString(result.loadableBy));
                },
                [this, dialog](const Failure& failure) {
                    if (dialog)
                        dialog->setFailed(
                            failure.happened +
                                (failure.where.isEmpty() ? QString() : QStringLiteral(" — ") + failure.where),
                            failure.remedy);
                    else
                        Q_EMIT failed(failure);
                },
                [dialog] {
                    if (dialog) dialog->setFailed(tr("Cancelled"), tr("Nothing was written."));
                });
        });
    connect(&runner_, &JobRunner::jobChanged, dialog, [dialog, job](const JobRow& row) {
        if (row.id == *job && row.state == JobRow::State::running)
            dialog->setProgress(row.phase, row.fraction);
    });
    connect(dialog, &ExportDialog::cancelWanted, this, [this, job] { runner_.cancel(*job); });
    dialog->show();
}

void ResultsController::usableModels(QStringList& names, QStringList& paths) const {
    for (const ResultRow& row : view_.model().rows()) {
        if (!row.finished) continue;
        names << row.name;
        paths << row.path;
    }
}

}  // namespace owq
