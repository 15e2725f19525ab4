// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/workspace.h"

#include <QFileInfo>

namespace owq {

void Workspace::openModel(const QString& path, std::shared_ptr<const InspectResult> model) {
    path_ = path;
    model_ = std::move(model);
    linears_.clear();
    reports_.clear();
    ranges_.clear();
    curves_.clear();
    shown_ = kAnalysis;
    for (const LinearInfo& linear : model_->info.linears)
        linears_.insert(QString::fromStdString(linear.name), &linear);
    for (const ColumnRanges& ranges : model_->ranges)
        ranges_.insert(QString::fromStdString(ranges.layer), ranges);
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
    const QString layer = QString::fromStdString(report.linear.name);
    reports_[source].insert(layer, std::make_shared<const LayerReport>(std::move(report)));
    if (source != shown_) return;
    curves_.remove(layer);
    Q_EMIT layersChanged({layer});
}

void Workspace::putReports(const QString& source, const std::vector<LayerReport>& reports) {
    QStringList layers;
    for (const LayerReport& report : reports) {
        const QString layer = QString::fromStdString(report.linear.name);
        reports_[source].insert(layer, std::make_shared<const LayerReport>(report));
        layers << layer;
        if (source == shown_) curves_.remove(layer);
    }
    if (source == shown_) Q_EMIT layersChanged(layers);
}

void Workspace::putRanges(const QString& layer, const ColumnRanges& ranges) {
    ranges_.insert(layer, ranges);
    curves_.remove(layer);
    Q_EMIT layersChanged({layer});
}

void Workspace::clearSource(const QString& source) {
    reports_.remove(source);
    if (source != shown_) return;
    curves_.clear();
    Q_EMIT shownChanged(shown_);
}

void Workspace::show(const QString& source) {
    if (source == shown_) return;
    shown_ = source;
    curves_.clear();
    Q_EMIT shownChanged(source);
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
    if (!known) return layerRow(*linear);
    LayerRow row = layerRow(*known);
    const LayerRow header = layerRow(*linear);  // headers are surer about shape and place
    row.block = header.block, row.kind = header.kind, row.dtype = header.dtype, row.rows = header.rows,
    row.columns = header.columns;
    return row;
}

LayerCurvesPtr Workspace::curves(const QString& layer) const {
    if (const auto kept = curves_.constFind(layer); kept != curves_.constEnd()) return *kept;
    const LinearInfo* linear = find(layer);
    if (!linear) return {};
    const ReportPtr known = report(layer);
    LayerCurves curves = known ? layerCurves(*known) : layerCurves(*linear, {});
    if (curves.columnMin.empty())
        if (const auto ranges = ranges_.constFind(layer); ranges != ranges_.constEnd()) {
            curves.columnMin = ranges->columnMin;
            curves.columnMax = ranges->columnMax;
        }
    return *curves_.insert(layer, std::make_shared<const LayerCurves>(std::move(curves)));
}

bool Workspace::needsRanges(const QString& layer) const {
    const LayerCurvesPtr known = curves(layer);
    return known && known->columnMin.empty();
}

}  // namespace owq
