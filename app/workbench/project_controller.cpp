// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/project_controller.h"

#include <QDir>
#include <QFileInfo>
#include <QHeaderView>
#include <QMainWindow>
#include <QTableView>
#include <QTimer>
#include <utility>

#include "app/workbench/plot_area.h"
#include "app/workbench/window_layout.h"
#include "widgets/budget/budget_panel.h"
#include "widgets/compare/compare_panel.h"
#include "widgets/layer_tree/layer_tree.h"
#include "widgets/try_it/try_panel.h"
#include "widgets/tune/tune_panel.h"

namespace owq {
namespace {

constexpr int kLookDelay = 100;  // ms

QString absolute(const QString& path) { return QDir::cleanPath(QFileInfo(path).absoluteFilePath()); }

struct Read {
    Project project;
    QStringList changed;
};

/// Inputs that are gone or not what they were.
QStringList changedInputs(const Project& p) {
    QStringList changed;
    const auto check = [&changed](const Project::Input& input) {
        if (!input.path.isEmpty() && !input.hash.isEmpty() && fingerprint(input.path) != input.hash) changed << input.path;
    };
    check(p.model);
    check(p.calibration);
    check(p.evaluation);
    for (const Project::Run& run : p.runs) check(run.input);
    return changed;
}

}  // namespace

ProjectController::ProjectController(const ProjectParts& parts, QObject* parent) : QObject(parent), parts_(parts), look_(new QTimer(this)) {
    watch();
    connect(&parts_.opener, &Opener::opened, this, [this](const QString& path) {
        if (!opening_ || path != absolute(opening_->model.path)) {
            opening_.reset();
            file_.clear();  // another model is not this project's
            look_->start();
            return Q_EMIT fileChanged(file_);
        }
        // After the window has brought its panels up.
        QMetaObject::invokeMethod(
            this,
            [this, project = *std::exchange(opening_, std::nullopt)] {
                file_ = openingFile_;
                restore(project);
                saved_ = work();
                newResults_ = false;
                look_->start();
                parts_.opener.remember(file_);
                Q_EMIT fileChanged(file_);
            },
            Qt::QueuedConnection);
    });
    connect(&parts_.opener, &Opener::failed, this, [this] { opening_.reset(); });
}

void ProjectController::open(const QString& given) {
    const QString file = absolute(given);
    parts_.runner.submit<Read>(
        {tr("Open %1").arg(QFileInfo(file).fileName()), JobRunner::Lane::reading, QStringLiteral("open"), false},
        [file](JobRunner::Context&) {
            const std::filesystem::path path = toPath(file);
            Read read{projectFromJson(readJson(path), path.string()), {}};
            read.changed = changedInputs(read.project);
            return read;
        },
        [this, file](const Read& read) {
            opening_ = read.project;
            openingFile_ = file;
            changed_ = read.changed;
            parts_.opener.open(read.project.model.path);
        },
        [this](const Failure& failure) {
            Q_EMIT failed({tr("The project cannot be opened: it %1").arg(failure.happened), failure.where, failure.remedy});
        });
}

void ProjectController::save(const QString& file, std::function<void()> then) {
    if (!parts_.workspace.isOpen()) return;
    const bool hadResults = std::exchange(newResults_, false);  // from here on they are newer than the file
    parts_.runner.submit<int>(
        {tr("Save %1").arg(QFileInfo(file).fileName()), JobRunner::Lane::reading, {}, false},
        [file, project = capture()](JobRunner::Context&) mutable {
            const auto hash = [](Project::Input& input) { input.hash = fingerprint(input.path); };
            hash(project.model);
            hash(project.calibration);
            hash(project.evaluation);
            for (Project::Run& run : project.runs) hash(run.input);
            writeJson(toPath(file), toJson(project));
            return 0;
        },
        [this, file, saved = work(), then = std::move(then)](const int&) {
            file_ = file;
            saved_ = saved;
            look_->start();
            parts_.opener.remember(file);
            Q_EMIT fileChanged(file);
            if (then) then();
        },
        [this, hadResults](const Failure& failure) {
            newResults_ |= hadResults;
            look_->start();
            Q_EMIT failed({tr("The project was not saved: it %1").arg(failure.happened), failure.where, failure.remedy});
        });
}

void ProjectController::watch() {
    look_->setSingleShot(true);
    look_->setInterval(kLookDelay);
    connect(look_, &QTimer::timeout, this, [this] {
        if (const bool now = isModified(); std::exchange(modified_, now) != now) Q_EMIT modifiedChanged(now);
    });
    const auto start = qOverload<>(&QTimer::start);
    connect(&parts_.runPanel, &RunPanel::changed, look_, start);
    connect(&parts_.budget, &BudgetController::changed, look_, start);
    connect(&parts_.budget, &BudgetController::filed, look_, start);
    connect(&parts_.resultsView, &ResultsView::measureSettingsChanged, look_, start);
    connect(&parts_.runner, &JobRunner::computingChanged, look_, start);  // an analysis has come
    const auto result = [this] {
        newResults_ = true;
        look_->start();
    };
    connect(&parts_.resultsView.model(), &ResultsModel::renamed, this, result);
    connect(&parts_.resultsView.model(), &ResultsModel::noted, this, result);
    connect(&parts_.results, &ResultsController::measured, this, result);
    connect(&parts_.results, &ResultsController::answered, this, result);
    const auto run = [this, result](const QString&, const QString& model) {
        if (model == parts_.workspace.path()) result();
    };
    connect(&parts_.run, &RunController::runFinished, this, run);
    connect(&parts_.run, &RunController::runStopped, this, run);
}

ProjectController::Work ProjectController::work() const {
    const BudgetDraft::State& state = parts_.budget.draft().state();
    return {parts_.runPanel.settings(), parts_.resultsView.measureSettings(), parts_.run.analysisFolder(), state.edited ? toJson(state.plan) : Json()};
}

bool ProjectController::isModified() const {
    if (!parts_.workspace.isOpen()) return false;
    if (file_.isEmpty()) return parts_.budget.draft().state().edited && !parts_.budget.isInFile();
    return newResults_ || work() != saved_;
}

Project ProjectController::capture() const {
    const Workspace& w = parts_.workspace;
    Project p;
    p.model.path = w.path();
    p.settings = parts_.runPanel.settings();
    p.calibration.path = p.settings.calibrationFile;
    p.measure = parts_.resultsView.measureSettings();
    p.evaluation.path = p.measure.text;
    p.analysis = parts_.run.analysisFolder();
    p.shown = w.shown() == Workspace::kAnalysis ? QString() : w.shown();
    p.comparedWith = w.comparedWith();
    p.selection = parts_.tree.selectedLayers();
    p.column = parts_.plots.group().selectedColumn();
    p.xMode = parts_.plots.xModeName();
    p.errorShare = parts_.plots.errorShare();
    p.views = parts_.plots.views();
    p.look = look();
    p.budgetEdited = parts_.budget.draft().state().edited;
    p.budget = toJson(parts_.budget.draft().state().plan);
    for (const ResultRow& row : parts_.resultsView.model().rows())
        p.runs.push_back({{row.path, {}}, row.name, row.note, row});
    p.layout = parts_.layout.state();
    p.geometry = parts_.layout.window().saveGeometry();
    return p;
}

std::map<std::string, QTableView*> ProjectController::tables() const {
    return {{"budget", &parts_.budgetPanel.table()}, {"comparison", &parts_.comparePanel.table()}, {"results", &parts_.resultsView.table()}};
}

ProjectLook ProjectController::look() const {
    ProjectLook look{parts_.tree.look(), parts_.plots.look(), {}, parts_.tryPanel.request(), parts_.tunePanel.request()};
    for (const auto& [panel, table] : tables()) {
        const QHeaderView* header = table->horizontalHeader();
        look.tables[panel] = {header->sortIndicatorSection(), header->sortIndicatorOrder() == Qt::DescendingOrder};
    }
    return look;
}

void ProjectController::restoreLook(const Project& p) {
    parts_.tree.setLook(p.look.layers, !p.comparedWith.isEmpty());
    parts_.plots.setLook(p.look.plots);
    for (const auto& [panel, table] : tables())
        if (const auto order = p.look.tables.find(panel); order != p.look.tables.end() && order->second.column < table->horizontalHeader()->count())
            table->sortByColumn(order->second.column, order->second.descending ? Qt::DescendingOrder : Qt::AscendingOrder);
    parts_.tryPanel.setRequest(p.look.tryIt);
    parts_.tunePanel.setRequest(p.look.tune);
}

void ProjectController::restore(const Project& p) {
    parts_.layout.window().restoreGeometry(p.geometry);
    parts_.layout.setState(p.layout);
    parts_.resultsView.setMeasureSettings(p.measure);
    parts_.runPanel.setSettings(p.settings);
    BudgetDraft::State state = parts_.budget.draft().state();
    if (p.budgetEdited) {
        try {
            state.plan = budgetFromJson(p.budget, parts_.workspace.model().info, openingFile_.toStdString());
            state.edited = true;
        } catch (const Error& e) {
            Q_EMIT notice({QString::fromStdString(e.happened()), QString::fromStdString(e.where()), tr("The budget is that of the settings.")});
        }
    }
    parts_.budget.restore(state);
    for (const Project::Run& run : p.runs) {
        ResultRow row;
        row.path = run.input.path;
        row.name = run.name;
        row.note = run.note;
        row.insert(run.measured);
        parts_.results.restoreRun(row);
    }
    parts_.plots.setXModeName(p.xMode);
    parts_.plots.setErrorShare(p.errorShare);
    parts_.plots.setViewsSoon(p.views, p.selection);
    if (!p.analysis.isEmpty()) parts_.run.setAnalysisFolder(p.analysis), parts_.opener.loadAnalysis(p.analysis, p.shown.isEmpty());
    if (!p.comparedWith.isEmpty())
        parts_.comparison.compare(p.shown, p.comparedWith, false);  // the layout says which panel is in front
    else if (!p.shown.isEmpty())
        parts_.opener.loadRun(p.shown);
    parts_.tree.select(p.selection);
    restoreLook(p);
    parts_.plots.group().selectColumn(p.column);
    if (!changed_.isEmpty())
        Q_EMIT notice({tr("%n inputs of the project are not as they were when it was saved", nullptr, int(changed_.size())),
                       changed_.join(QStringLiteral(", ")), tr("What is shown may differ from what was saved.")});
}

}  // namespace owq
