// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/workspace.h"

#include <QFileInfo>
#include <algorithm>

#include "widgets/plot/plot_content.h"

namespace owq {

bool sameModel(std::filesystem::path a, std::filesystem::path b) {
    std::error_code error;
    for (std::filesystem::path* path : {&a, &b}) {
        *path = std::filesystem::weakly_canonical(*path, error);
        if (std::filesystem::is_regular_file(*path, error)) *path = path->parent_path();
    }
    return a == b;
}

void Workspace::openModel(const QString& path, std::shared_ptr<const InspectResult> model) {
    path_ = path;
    model_ = std::move(model);
    linears_.clear();
    reports_.clear();
    ranges_.clear();
    curves_.clear();
    plan_.clear();
    replanned_.clear();
    other_.clear();
    shown_ = kAnalysis;
    for (const LinearInfo& linear : model_->info.linears)
        linears_.insert(QString::fromStdString(linear.name), &linear);
    for (const ColumnRanges& ranges : model_->ranges)
        ranges_.insert(QString::fromStdString(ranges.layer), std::make_shared<const ColumnRanges>(ranges));
    Q_EMIT modelChanged();
}

QString Workspace::title() const {
    return QFileInfo(path_).fileName();
}

double Workspace::linearWeights() const {
    double weights = 0;
    if (model_)
        for (const LinearInfo& linear : model_->info.linears)
            weights += double(linear.rows) * double(linear.columns);
    return weights;
}

void Workspace::putReport(const QString& source, LayerReport report) {
    putReports(source, {std::make_shared<const LayerReport>(std::move(report))});
}

std::vector<Workspace::ReportPtr> Workspace::shared(std::vector<LayerReport> reports) {
    std::vector<ReportPtr> all;
    for (LayerReport& report : reports) all.push_back(std::make_shared<const LayerReport>(std::move(report)));
    return all;
}

void Workspace::putReports(const QString& source, const std::vector<ReportPtr>& reports) {
    QStringList layers;
    for (const ReportPtr& report : reports) {
        const QString layer = QString::fromStdString(report->linear.name);
        reports_[source].insert(layer, report);
        if (source != shown_ && (source != kAnalysis || this->report(layer))) continue;
        layers << layer;
        curves_.remove(layer);
    }
    if (layers.isEmpty()) return;
    Q_EMIT layersChanged(layers);
    if (source == shown_) Q_EMIT reportsChanged(layers);
}

void Workspace::putRanges(const QString& layer, const ColumnRanges& ranges) {
    const bool shown = needsRanges(layer);
    ranges_.insert(layer, std::make_shared<const ColumnRanges>(ranges));
    if (!shown) return;  // a report has its own
    curves_.remove(layer);
    Q_EMIT layersChanged({layer});
}

void Workspace::clearSource(const QString& source) {
    reports_.remove(source);
    if (source == shown_ || source == kAnalysis) curves_.clear();
    if (source != shown_) return;
    Q_EMIT shownChanged(shown_);
}

void Workspace::show(const QString& source) {
    if (source == shown_ && other_.isEmpty()) return;
    shown_ = source;
    other_.clear();
    replanned_.clear();
    curves_.clear();
    Q_EMIT shownChanged(source);
}

void Workspace::compare(const QString& a, const QString& b) {
    shown_ = a;
    other_ = b;
    replanned_.clear();
    curves_.clear();
    Q_EMIT shownChanged(a);
}

void Workspace::setPlan(QHash<QString, PlannedLinear> plan) {
    plan_ = std::move(plan);
    replanned_.clear();
    curves_.clear();
    Q_EMIT layersChanged(plan_.keys());
}

void Workspace::setPlanned(const QStringList& layers, const QHash<QString, PlannedLinear>& plan) {
    for (const QString& layer : layers) {
        plan_.insert(layer, plan.value(layer));
        if (shown_ != kAnalysis) replanned_.insert(layer);
        curves_.remove(layer);
    }
    if (!layers.isEmpty()) Q_EMIT plannedChanged(layers);
}

std::vector<LayerRow> Workspace::rows() const {
    std::vector<LayerRow> rows;
    if (model_)
        for (const LinearInfo& linear : model_->info.linears)
            rows.push_back(row(QString::fromStdString(linear.name)));
    return rows;
}

const LinearInfo* Workspace::find(const QString& layer) const {
    return linears_.value(layer, nullptr);
}

Workspace::ReportPtr Workspace::report(const QString& layer) const {
    return reports_.value(shown_).value(layer);
}

LayerRow Workspace::row(const QString& layer) const {
    const LinearInfo* linear = find(layer);
    if (!linear) return {};
    const ReportPtr known = report(layer);
    const LayerRow header = layerRow(*linear);
    LayerRow row = known ? layerRow(*known) : header;
    // Headers are surer about shape and place.
    row.block = header.block, row.kind = header.kind, row.dtype = header.dtype, row.rows = header.rows, row.columns = header.columns;
    row.inputGroup = header.inputGroup;
    if (const ReportPtr other = reports_.value(other_).value(layer); other && other->quantized) row.otherError = other->error;
    if (shown_ == kAnalysis && plan_.contains(layer)) {
        row.bits = plan_[layer].bits;
        row.weakColumns = plan_[layer].weakColumns;
    }
    return row;
}

Workspace::Known Workspace::known(const LinearInfo& linear, bool orAnalysis) const {
    const QString layer = QString::fromStdString(linear.name);
    Known known{linear, report(layer), ranges_.value(layer), {}, showsPlan(layer)};
    if (!known.report && orAnalysis) {
        known.report = reports_.value(kAnalysis).value(layer);
        known.showsPlan = plan_.contains(layer);
    }
    if (const auto plan = plan_.constFind(layer); plan != plan_.constEnd()) known.plan = *plan;
    return known;
}

LayerCurvesPtr Workspace::makeCurves(const Known& known) {
    LayerCurves curves = known.report ? layerCurves(*known.report) : layerCurves(known.linear, {});
    if (curves.columnMin.empty() && known.ranges) {
        curves.columnMin = known.ranges->columnMin;
        curves.columnMax = known.ranges->columnMax;
    }
    if (known.showsPlan && isKnown(curves, curves.sensitivity)) {
        curves.weakColumns = mostSensitive(curves, known.plan->weakColumns);
        if (!curves.measured) curves.bits = known.plan->bits;
        curves.planned = known.plan->bits < 16;
    } else if (isKnown(curves, curves.sensitivity)) {
        curves.planned = known.plan.has_value();  // where the cut of the run stands, it can be taken from
    }
    return std::make_shared<const LayerCurves>(std::move(curves));
}

LayerCurvesPtr Workspace::comparedCurves(const LayerReport& report, const QString& run) {
    auto curves = std::make_shared<LayerCurves>(layerCurves(report));
    curves->run = run;
    return curves;
}

LayerCurvesPtr Workspace::curves(const QString& layer) const {
    if (const auto kept = curves_.constFind(layer); kept != curves_.constEnd()) return *kept;
    const LinearInfo* linear = find(layer);
    return linear ? *curves_.insert(layer, makeCurves(known(*linear, true))) : LayerCurvesPtr();
}

std::vector<std::pair<Workspace::ReportPtr, QString>> Workspace::compared(const QString& layer) const {
    std::vector<std::pair<ReportPtr, QString>> both;
    for (const auto& [source, run] : {std::pair(shown_, QStringLiteral("A")), std::pair(other_, QStringLiteral("B"))})
        if (ReportPtr known = reports_.value(source).value(layer)) both.emplace_back(std::move(known), run);
    return both;
}

std::vector<LayerCurvesPtr> Workspace::curvesShown(const QString& layer) const {
    const LayerCurvesPtr one = curves(layer);
    if (!one || !isComparing()) return one ? std::vector{one} : std::vector<LayerCurvesPtr>();
    std::vector<LayerCurvesPtr> both;
    for (const auto& [report, run] : compared(layer)) both.push_back(comparedCurves(*report, run));
    return both;
}

std::function<std::vector<LayerCurvesPtr>()> Workspace::allCurves() const {
    std::vector<std::function<LayerCurvesPtr()>> makers;
    if (model_)
        for (const LinearInfo& linear : model_->info.linears) {
            const QString layer = QString::fromStdString(linear.name);
            if (isComparing())
                for (const auto& [report, run] : compared(layer)) makers.push_back([report, run] { return comparedCurves(*report, run); });
            else if (const auto kept = curves_.constFind(layer); kept != curves_.constEnd() && (shown_ == kAnalysis || report(layer)))
                makers.push_back([curves = *kept] { return curves; });
            else
                makers.push_back([known = known(linear, false)] { return makeCurves(known); });
        }
    return [makers = std::move(makers)] {
        std::vector<LayerCurvesPtr> all;
        for (const auto& make : makers) all.push_back(make());
        return all;
    };
}

bool Workspace::needsRanges(const QString& layer) const {
    const LayerCurvesPtr known = curves(layer);
    return known && known->columnMin.empty();
}

}  // namespace owq
