// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/run_controller.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QScopeGuard>
#include <QSettings>
#include <QStandardPaths>
#include <algorithm>

#include "app/workbench/pace.h"
#include "app/workbench/sample.h"
#include "app/workbench/settings.h"
#include "widgets/calibration/calibration_dialog.h"

namespace owq {
namespace {

constexpr double kSmallModel = 50e6;  // weights
constexpr int64_t kMostThreads = 1024;

QString runsFolder() {
    const QString documents = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
    return (documents.isEmpty() ? QDir::homePath() : documents) + QStringLiteral("/OWQ runs");
}

/// The windows, the budget and the number of threads (0: all cores) a run was started with, as its description tells; with others it would be
/// refused.
int takeBegun(QuantizeOptions& options, const ModelInfo& model) {
    const std::filesystem::path file = options.out / "recipe.json";
    const Json description = readJson(file);
    if (!description.is_object()) return 0;
    const std::string where = file.string();
    const int threads = int(std::clamp<int64_t>(optional<int64_t>(description, "threads", 0, where), 0, kMostThreads));
    options.device = deviceKindFromName(optional<std::string>(description, "device", "cpu", where));
    if (description.contains("calibration")) {
        const Json& told = description.at("calibration");
        options.calibration.samples = optional<int64_t>(told, "samples", options.calibration.samples, where);
        options.calibration.seed = uint64_t(optional<int64_t>(told, "seed", int64_t(options.calibration.seed), where));
        if (!options.calibration.text.empty())
            options.calibration.sequenceLength =
                optional<int64_t>(told, "sequence_length", options.calibration.sequenceLength, where);
    }
    // Greedy allocation takes up its own plan again.
    if (options.recipe.allocation == "greedy" || !description.contains("budget") || !description["budget"].is_array()) return threads;
    BudgetPlan plan;
    for (const LinearInfo& l : model.linears) plan.linears.push_back({l.name, 16});  // what is kept is not listed
    for (const Json& entry : description["budget"]) {
        const auto name = required<std::string>(entry, "name", where);
        for (LinearBudget& b : plan.linears)
            if (b.name == name) b = {name, int(required<int64_t>(entry, "bits", where)), required<int64_t>(entry, "weak_columns", where)};
    }
    options.plan = std::move(plan);
    return threads;
}

QStringList texts(const std::vector<std::string>& lines) {
    QStringList list;
    for (const std::string& line : lines) list << QString::fromStdString(line);
    return list;
}

}  // namespace

RunController::RunController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace,
                             RunPanel& panel, const BudgetController& budget, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), workspace_(workspace), panel_(panel), budget_(budget) {
    connect(&panel_, &RunPanel::analyzeWanted, this, &RunController::analyze);
    connect(&panel_, &RunPanel::windowsWanted, this, &RunController::showWindows);
    connect(&panel_, &RunPanel::runWanted, this, &RunController::run);
    connect(&panel_, &RunPanel::cancelWanted, this, &RunController::cancel);
    connect(&panel_, &RunPanel::changed, this, &RunController::suggestOut);
    connect(&runner_, &JobRunner::computingChanged, &panel_, &RunPanel::setBusy);
    connect(&workspace_, &Workspace::modelChanged, this, &RunController::suggestSettings);
    connect(&workspace_, &Workspace::modelChanged, this, [this] {
        for (auto run = underWay_.cbegin(); run != underWay_.cend(); ++run)  // of a model that was opened again
            if (run->model == workspace_.path()) workspace_.putReports(run.key(), run->layers);
        Q_EMIT underWayChanged();
    });
}

QStringList RunController::underWay() const {
    QStringList directories;
    for (auto run = underWay_.cbegin(); run != underWay_.cend(); ++run)
        if (run->model == workspace_.path()) directories << run.key();
    return directories;
}

void RunController::suggestSettings() {
    const ModelInfo& info = workspace_.model().info;
    analysis_.clear();
    panel_.setModelOpen(true);
    panel_.setWeights(workspace_.linearWeights(), 8.0 * double(byteSize(info.dtype)));
    RunSettings settings = panel_.settings();
    const QSettings kept;
    if (settings.calibrationFile.isEmpty()) {
        const QString bundled = sampleFolder() + QStringLiteral("/calibration.txt");
        const QString last = kept.value(QLatin1String(keys::calibrationText)).toString();
        if (QFileInfo(last).isFile())
            settings.calibrationFile = last;
        else if (QFileInfo(bundled).isFile())
            settings.calibrationFile = bundled;
        settings.samples = kept.value(QLatin1String(keys::samples), 128).toInt();
    }
    // The paper's 0.01 bits pay for no weak column at all where layers are this small.
    if (settings.targetBits == RunSettings().targetBits && workspace_.linearWeights() < kSmallModel)
        settings.targetBits = settings.bits + 0.05;
    if (settings.out == suggestedOut_) settings.out.clear();
    suggesting_ = true;  // the panel tells of every field on the way
    panel_.setSettings(settings);
    suggesting_ = false;
    suggestOut();
}

void RunController::suggestOut() {
    if (suggesting_ || !workspace_.isOpen()) return;
    RunSettings settings = panel_.settings();
    // Only a name that nobody changed follows the settings.
    if (!settings.out.isEmpty() && settings.out != suggestedOut_) return;
    const double bits = settings.method == QLatin1String("owq") ? settings.targetBits : settings.bits;
    const QString stem =
        QStringLiteral("%1/%2 %3 %4")
            .arg(runsFolder(), workspace_.title(), settings.method, QString::number(bits, 'g', 4));
    QString name = stem;
    for (int n = 2; QFileInfo::exists(name); ++n) name = QStringLiteral("%1 (%2)").arg(stem).arg(n);
    suggestedOut_ = name;
    if (name == settings.out) return;
    settings.out = name;
    suggesting_ = true;  // setting the panel tells of a change again
    panel_.setSettings(settings);
    suggesting_ = false;
}

void RunController::analyze() {
    if (!workspace_.isOpen()) return;
    const RunSettings settings = panel_.settings();
    CalibrateOptions options;
    options.model = toPath(workspace_.path());
    options.calibration = calibrationOf(settings);
    options.recipe = recipeOf(settings, true);
    workspace_.clearSource(Workspace::kAnalysis);
    workspace_.show(Workspace::kAnalysis);
    const QString model = workspace_.path();
    // Two models may have one name.
    const QByteArray mark = QCryptographicHash::hash(model.toUtf8(), QCryptographicHash::Sha1).toHex().left(6);
    const QString folder = QStringLiteral("%1/%2 analysis %3").arg(runsFolder(), workspace_.title(), QLatin1String(mark));
    options.out = toPath(folder);
    options.force = true;
    analysis_.clear();
    runner_.submit<CalibrateResult>(
        {tr("Analyze %1").arg(workspace_.title()), JobRunner::Lane::compute, {}},
        [this, options, model, jobs = jobs_](JobRunner::Context& context) mutable {
            options.onLayer = [this, model, &context](const LayerReport& layer) {
                context.post([this, model, layer] {
                    if (workspace_.path() == model) workspace_.putReport(Workspace::kAnalysis, layer);
                });
            };
            std::filesystem::create_directories(options.out.parent_path());
            return jobs.calibrate(options, context.progress, context.stop);
        },
        [this, model, folder](const CalibrateResult& result) {
            if (workspace_.path() == model) analysis_ = folder;
            if (!result.warnings.empty()) Q_EMIT warned(texts(result.warnings));
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void RunController::showWindows() {
    if (!workspace_.isOpen()) return;
    PreviewOptions options;
    options.model = toPath(workspace_.path());
    options.calibration = calibrationOf(panel_.settings());
    runner_.submit<CalibrationPreview>(
        {tr("Read the calibration windows"), JobRunner::Lane::reading, QStringLiteral("windows"), false},
        [options, jobs = jobs_](JobRunner::Context& context) { return jobs.previewCalibration(options, context.progress, context.stop); },
        [this](const CalibrationPreview& preview) {
            CalibrationTexts texts;
            texts.summary = tr("%n windows", nullptr, int(preview.windows)) + tr(" of %n tokens each", nullptr, int(preview.length));
            if (preview.unknown > 0) texts.summary += tr(", %1 % of them unknown to the tokenizer").arg(100 * preview.unknown, 0, 'g', 2);
            if (preview.texts.size() < size_t(preview.windows)) texts.summary += tr("; the first %n are shown", nullptr, int(preview.texts.size()));
            texts.warnings = owq::texts(preview.warnings);
            for (const std::string& text : preview.texts) texts.windows << QString::fromUtf8(text.data(), qsizetype(text.size()));
            auto* dialog = new CalibrationDialog(texts, panel_.window());
            dialog->setAttribute(Qt::WA_DeleteOnClose);
            dialog->show();
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void RunController::run() {
    if (!workspace_.isOpen()) return;
    const RunSettings settings = panel_.settings();
    QSettings kept;
    kept.setValue(QLatin1String(keys::calibrationText), settings.calibrationFile);
    kept.setValue(QLatin1String(keys::samples), settings.samples);
    QuantizeOptions options;
    options.model = toPath(workspace_.path());
    options.out = toPath(settings.out);
    options.calibration = calibrationOf(settings);
    options.plan = budget_.editedPlan();
    options.recipe = recipeOf(settings, options.plan.has_value());
    options.device = deviceKindFromName(settings.device.toStdString());
    if (options.recipe.method == Method::rtn && !QFileInfo(settings.calibrationFile).isFile())
        options.calibration = {};
    start(options, workspace_.path());
}

void RunController::resume(const RunSummary& unfinished) {
    const QString directory = fromPath(unfinished.directory);
    RunSettings settings = panel_.settings();
    settings.calibrationFile =
        QSettings().value(keys::of(keys::runCalibrations, directory), settings.calibrationFile).toString();
    QuantizeOptions options;
    options.model = unfinished.model;
    options.out = unfinished.directory;
    options.calibration = calibrationOf(settings);
    options.recipe = unfinished.recipe;
    options.resume = true;
    start(options, sameModel(unfinished.model, toPath(workspace_.path())) ? workspace_.path() : fromPath(unfinished.model));
}

void RunController::start(QuantizeOptions options, const QString& model) {
    const QString directory = fromPath(options.out);
    const QString title = tr("Quantize %1: %2").arg(QFileInfo(model).fileName(), describe(options.recipe));
    workspace_.clearSource(directory);
    QSettings().setValue(
        keys::of(keys::runCalibrations, directory),
        fromPath(options.calibration.text.empty() ? options.calibration.tokens : options.calibration.text));
    const auto header = options.resume ? nullptr : workspace_.modelPtr();  // a run may go on while another model is open
    const quint64 id = runner_.submit<QuantizeResult>(
        {title, JobRunner::Lane::compute, {}},
        [this, options, directory, jobs = jobs_](JobRunner::Context& context) mutable {
            options.onLayer = [this, directory, &context](const LayerReport& layer) {
                context.post([this, directory, layer] { takeLayer(directory, layer); });
            };
            std::filesystem::create_directories(options.out.parent_path());
            if (!options.resume) return jobs.quantize(options, context.progress, context.stop);
            InspectOptions inspect;
            inspect.model = options.model;
            const int threads = takeBegun(options, jobs.inspect(inspect, context.progress, context.stop).info);
            const auto allCores = qScopeGuard([&jobs] { jobs.setThreads(0); });
            jobs.setThreads(threads);
            return jobs.quantize(options, context.progress, context.stop);
        },
        [this, directory, model, header](const QuantizeResult& result) {
            if (header) pace::remember(header->info, result);
            if (!result.warnings.empty()) Q_EMIT warned(texts(result.warnings));
            end(directory);
            Q_EMIT runFinished(directory, model);
            suggestOut();
        },
        [this, directory, model](const Failure& failure) {
            end(directory);
            Q_EMIT failed(failure);
            Q_EMIT runStopped(directory, model, true);
        },
        [this, directory, model] {
            end(directory);
            Q_EMIT runStopped(directory, model, false);
        });
    if (!id) return;
    underWay_.insert(directory, {model, workspace_.shown(), workspace_.comparedWith(), {}});
    Q_EMIT underWayChanged();
    Q_EMIT runStarted(directory, title);
}

void RunController::takeLayer(const QString& directory, const LayerReport& layer) {
    const auto run = underWay_.find(directory);
    if (run == underWay_.end()) return;
    const bool first = run->layers.empty();
    run->layers.push_back(std::make_shared<const LayerReport>(layer));
    if (workspace_.path() != run->model) return;
    // Whoever has chosen another view since the start keeps it.
    if (first && workspace_.shown() == run->shown && workspace_.comparedWith() == run->comparedWith) workspace_.show(directory);
    workspace_.putReports(directory, {run->layers.back()});
}

void RunController::end(const QString& directory) {
    underWay_.remove(directory);
    Q_EMIT underWayChanged();
}

void RunController::cancel() {
    runner_.cancel(runner_.currentComputing());
}

}  // namespace owq
