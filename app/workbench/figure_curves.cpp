// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/figure_curves.h"

#include <QSet>

#include "app/workbench/workspace.h"
#include "core/base/error.h"

namespace owq {
namespace {

using Reports = std::vector<Workspace::ReportPtr>;

bool isRun(const std::filesystem::path& folder) {
    std::error_code error;
    return std::filesystem::exists(folder / "recipe.json", error) || std::filesystem::exists(folder / "statistics.h5", error) ||
           std::filesystem::is_directory(folder / "layers", error);
}

InspectResult inspected(const QString& model, const QString& layer, const JobFunctions& jobs) {
    InspectOptions options;
    options.model = toPath(model);
    options.layer = layer.toStdString();
    Progress progress;
    return jobs.inspect(options, progress, {});
}

Reports reportsOf(const QString& run, const QStringList& layers, const JobFunctions& jobs) {
    if (layers.isEmpty()) return Workspace::shared(jobs.readRunLayers(toPath(run), {}));
    std::vector<LayerReport> reports;
    for (const QString& layer : layers) reports.push_back(jobs.readRunLayer(toPath(run), layer.toStdString()));
    return Workspace::shared(std::move(reports));
}

/// Refuses what the window does not compare.
void checkComparable(const QString& a, const QString& b, const JobFunctions& jobs) {
    CompareOptions options;
    options.runs = {toPath(a), toPath(b)};
    Progress progress;
    jobs.compare(options, progress, {});
}

/// A run needs no model: what it holds is drawn.
void openRuns(Workspace& workspace, const Arguments& a, const JobFunctions& jobs) {
    const bool two = !a.compare.isEmpty();
    if (two) checkComparable(a.directory, a.compare, jobs);
    const Reports first = reportsOf(a.directory, two ? QStringList() : a.layers, jobs);
    const Reports second = two ? reportsOf(a.compare, {}, jobs) : Reports();
    const auto model = std::make_shared<InspectResult>();
    QSet<QString> known;
    for (const Reports& reports : {first, second})
        for (const Workspace::ReportPtr& report : reports) {
            const QString layer = QString::fromStdString(report->linear.name);
            if (!known.contains(layer)) model->info.linears.push_back(report->linear);
            known.insert(layer);
        }
    workspace.openModel(a.directory, model);
    workspace.putReports(QStringLiteral("A"), first);
    workspace.putReports(QStringLiteral("B"), second);
    if (two)
        workspace.compare(QStringLiteral("A"), QStringLiteral("B"));
    else
        workspace.show(QStringLiteral("A"));
}

void openProject(Workspace& workspace, const Arguments& a, const Project& project, const JobFunctions& jobs) {
    workspace.openModel(project.model.path, std::make_shared<const InspectResult>(inspected(project.model.path, {}, jobs)));
    if (project.budget.is_object()) {
        QHash<QString, PlannedLinear> plan;
        for (const LinearBudget& b : budgetFromJson(project.budget, workspace.model().info, a.directory.toStdString()).linears)
            plan.insert(QString::fromStdString(b.name), {b.bits, int(b.weakColumns)});
        workspace.setPlan(std::move(plan));
    }
    const auto read = [&](const QString& source, const QString& folder) { workspace.putReports(source, reportsOf(folder, {}, jobs)); };
    const QString other = a.compare.isEmpty() ? project.comparedWith : a.compare;
    if (project.shown.isEmpty()) {
        if (!other.isEmpty()) throw Error("the project shows no run that could be compared", a.directory.toStdString(), "Name two run directories");
        if (!project.analysis.isEmpty()) read(Workspace::kAnalysis, project.analysis);
        return;
    }
    if (!other.isEmpty()) checkComparable(project.shown, other, jobs);
    read(project.shown, project.shown);
    if (other.isEmpty()) return workspace.show(project.shown);
    read(other, other);
    workspace.compare(project.shown, other);
}

}  // namespace

std::vector<LayerCurvesPtr> figureCurves(const Arguments& a, PlotKind kind, const std::optional<Project>& project, const JobFunctions& jobs) {
    Workspace workspace;
    QStringList layers = a.layers;
    layers.removeDuplicates();
    const bool ofAll = kind == PlotKind::ErrorSaved && layers.isEmpty();
    if (project) {
        openProject(workspace, a, *project, jobs);
        if (layers.isEmpty() && !ofAll) layers = project->selection;
        if (layers.isEmpty() && !ofAll) throw Error("no linear is selected in the project", a.directory.toStdString(), "Name one with --layer");
    } else if (isRun(toPath(a.directory))) {
        openRuns(workspace, a, jobs);
    } else if (kind != PlotKind::ColumnRange) {
        throw Error("this is no run directory and no analysis, so only column-range can be drawn", a.directory.toStdString(),
                    "Run owq calibrate or owq quantize on the model first");
    } else {
        workspace.openModel(a.directory, std::make_shared<const InspectResult>(inspected(a.directory, {}, jobs)));
    }
    if (ofAll) return workspace.allCurves()();
    std::vector<LayerCurvesPtr> all;
    for (const QString& layer : layers) {
        if (!workspace.curves(layer)) throw Error("there is no quantizable linear of this name", layer.toStdString(), "owq inspect lists the names");
        if (kind == PlotKind::ColumnRange && !workspace.isComparing() && workspace.needsRanges(layer)) {
            const InspectResult model = inspected(workspace.path(), layer, jobs);
            if (!model.ranges.empty()) workspace.putRanges(layer, model.ranges.front());
        }
        for (const LayerCurvesPtr& curves : workspace.curvesShown(layer)) all.push_back(curves);
    }
    return all;
}

}  // namespace owq
