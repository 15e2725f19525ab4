// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/comparison_controller.h"

#include <QFileInfo>

namespace owq {
namespace {

struct Compared {
    CompareResult result;
    std::vector<Workspace::ReportPtr> layers[2];  ///< of runs that the workspace lacked
};

CompareRow rowOf(const ComparedLinear& linear) {
    const ComparedLinear::Value &a = linear.values[0], &b = linear.values[1];
    CompareRow row;
    row.name = QString::fromStdString(linear.name);
    row.bitsA = a.bits, row.bitsB = b.bits;
    row.weakA = int(a.weakColumns.size()), row.weakB = int(b.weakColumns.size());
    row.sharedWeak = int(linear.sharedWeakColumns);
    row.errorA = a.error.value_or(CompareRow::kUnknown);
    row.errorB = b.error.value_or(CompareRow::kUnknown);
    return row;
}

}  // namespace

ComparisonController::ComparisonController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, ComparePanel& panel, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), workspace_(workspace), panel_(panel) {
    connect(&panel_, &ComparePanel::endWanted, this, &ComparisonController::end);
    connect(&panel_, &ComparePanel::swapWanted, this, [this] { compare(workspace_.comparedWith(), workspace_.shown()); });
    // Whatever else is shown instead ends it.
    connect(&workspace_, &Workspace::shownChanged, this, [this] {
        if (!workspace_.isComparing()) panel_.setRuns({}, {}), panel_.model().setRows({});
    });
    connect(&workspace_, &Workspace::modelChanged, this, [this] { panel_.setRuns({}, {}), panel_.model().setRows({}); });
}

void ComparisonController::compare(const QString& a, const QString& b, bool raise) {
    if (a.isEmpty() || b.isEmpty()) return;
    const QString paths[2] = {a, b};
    const bool known[2] = {workspace_.hasReports(a), workspace_.hasReports(b)};
    const QString model = workspace_.path();
    CompareOptions options;
    options.runs = {toPath(a), toPath(b)};
    runner_.submit<Compared>(
        {tr("Compare %1 and %2").arg(QFileInfo(a).fileName(), QFileInfo(b).fileName()), JobRunner::Lane::reading, QStringLiteral("run"), false},
        [options, readA = !known[0], readB = !known[1], jobs = jobs_](JobRunner::Context& context) {
            Compared compared{jobs.compare(options, context.progress, context.stop), {}};
            if (readA) compared.layers[0] = Workspace::shared(jobs.readRunLayers(options.runs[0], context.stop));
            if (readB) compared.layers[1] = Workspace::shared(jobs.readRunLayers(options.runs[1], context.stop));
            return compared;
        },
        [this, a, b, model, raise](const Compared& compared) {
            if (workspace_.path() != model) return;
            if (!compared.layers[0].empty()) workspace_.putReports(a, compared.layers[0]);
            if (!compared.layers[1].empty()) workspace_.putReports(b, compared.layers[1]);
            workspace_.compare(a, b);
            std::vector<CompareRow> rows;
            for (const ComparedLinear& linear : compared.result.linears) rows.push_back(rowOf(linear));
            panel_.model().setRows(std::move(rows));
            panel_.setRuns(QString::fromStdString(compared.result.runs[0].name), QString::fromStdString(compared.result.runs[1].name));
            if (raise) Q_EMIT begun();
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void ComparisonController::end() { workspace_.show(workspace_.shown()); }

}  // namespace owq
