// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/render_figure.h"

#include <cstdio>

#include "app/workbench/translate.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "widgets/figure/figure_renderer.h"
#include "widgets/speed/speed_figure.h"

namespace owq {
namespace {

int complain(int code, const QString& text) {
    std::fprintf(stderr, "owq-workbench: %s\n", text.toUtf8().constData());
    return code;
}

bool isRun(const std::filesystem::path& folder) {
    std::error_code error;
    return std::filesystem::exists(folder / "recipe.json", error) ||
           std::filesystem::exists(folder / "statistics.h5", error) ||
           std::filesystem::is_directory(folder / "layers", error);
}

LayerCurvesPtr shared(LayerCurves curves) { return std::make_shared<const LayerCurves>(std::move(curves)); }

std::vector<LayerCurvesPtr> readCurves(const Arguments& a, PlotKind kind, const JobFunctions& jobs) {
    const std::filesystem::path folder = toPath(a.directory);
    if (isRun(folder) && a.layer.isEmpty()) {
        std::vector<LayerCurvesPtr> all;
        for (const LayerReport& layer : jobs.readRunLayers(folder, {})) all.push_back(shared(layerCurves(layer)));
        return all;
    }
    if (isRun(folder)) return {shared(layerCurves(jobs.readRunLayer(folder, a.layer.toStdString())))};
    if (kind != PlotKind::ColumnRange)
        throw Error("this is no run directory and no analysis, so only column-range can be drawn",
                    a.directory.toStdString(), "Run owq calibrate or owq quantize on the model first");
    InspectOptions options;
    options.model = folder;
    options.layer = a.layer.toStdString();
    Progress progress;
    const InspectResult model = jobs.inspect(options, progress, {});
    const LinearInfo* linear = model.info.find(options.layer);
    if (!linear || model.ranges.empty())
        throw Error("there is no quantizable linear of this name", options.layer,
                    "owq inspect lists the names");
    return {shared(layerCurves(*linear, model.ranges.front()))};
}

// What owq bench --json wrote.
FigureSource readSpeed(const std::filesystem::path& file) {
    const Json json = readJson(file);
    const std::string where = file.string();
    if (!json.is_object() || !json.contains("layers") || !json["layers"].is_array())
        throw Error("this is no result of owq bench", where, "Write one with owq bench --json FILE");
    std::vector<SpeedRow> rows;
    for (const Json& layer : json["layers"]) {
        SpeedRow row;
        row.rows = required<int64_t>(layer, "rows", where);
        row.columns = required<int64_t>(layer, "columns", where);
        row.batch = required<int64_t>(layer, "batch", where);
        row.bits = int(required<int64_t>(layer, "bits", where));
        row.weakColumns = required<int64_t>(layer, "weak_columns", where);
        row.seconds = required<double>(layer, "seconds", where);
        row.halfSeconds = required<double>(layer, "fp16_seconds", where);
        row.readShare = required<double>(layer, "share_of_read_rate", where);
        rows.push_back(row);
    }
    return speedFigure(QString::fromStdString(required<std::string>(json, "model", where)), std::move(rows));
}

}  // namespace

int renderFigureCommand(const Arguments& a, const JobFunctions& jobs) {
    const bool speed = a.kind == QLatin1String("speed");
    const std::optional<PlotKind> kind = plotKind(a.kind);
    if (!kind && !speed)
        return complain(
            2, QStringLiteral("unknown kind %1; known: hessian, column-range, cumulative-error, sensitivity, error-saved, speed")
                   .arg(a.kind));
    if (a.layer.isEmpty() && !speed && *kind != PlotKind::ErrorSaved) return complain(2, QStringLiteral("%1 needs --layer").arg(a.kind));
    if (!figureFormat(a.out))
        return complain(2, QStringLiteral("%1 must end in .pdf, .svg or .png").arg(a.out));
    FigureOptions options;
    if (kind) options.kind = *kind;
    options.widthMm = a.widthMm;
    options.heightMm = a.heightMm;
    options.fontPt = a.fontPt;
    options.csvPath = a.csv;
    if (options.kind == PlotKind::CumulativeError) options.xMode = XMode::Rank;
    try {
        const FigureResult result = speed ? writeFigure(options, readSpeed(toPath(a.directory)), a.out)
                                          : renderFigure(options, readCurves(a, *kind, jobs), a.out);
        return result.ok ? 0 : complain(1, result.error);
    } catch (const std::exception& e) {
        return complain(1, QString::fromUtf8(e.what()));
    }
}

}  // namespace owq
