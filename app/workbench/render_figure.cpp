// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/render_figure.h"

#include <cstdio>

#include "app/workbench/figure_curves.h"
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
    // Results of earlier versions name no device.
    const bool gpu = json.value("device", std::string("cpu")) == "cuda";
    return speedFigure(QString::fromStdString(required<std::string>(json, "model", where)), std::move(rows), gpu ? QStringLiteral("copy rate") : QStringLiteral("read rate"));
}

int written(const FigureResult& result) { return result.ok ? 0 : complain(1, result.error); }

}  // namespace

int renderFigureCommand(const Arguments& a, const JobFunctions& jobs) {
    const bool speed = a.kind == QLatin1String("speed");
    const std::optional<PlotKind> kind = plotKind(a.kind);
    if (!kind && !speed)
        return complain(
            2, QStringLiteral("unknown kind %1; known: hessian, column-range, cumulative-error, sensitivity, error-saved, speed")
                   .arg(a.kind));
    const bool isProject = a.directory.endsWith(QLatin1String(kProjectSuffix));
    if (a.layers.isEmpty() && !isProject && !speed && *kind != PlotKind::ErrorSaved) return complain(2, QStringLiteral("%1 needs --layer").arg(a.kind));
    if (!figureFormat(a.out))
        return complain(2, QStringLiteral("%1 must end in .pdf, .svg or .png").arg(a.out));
    if (!a.columnsBy.isEmpty() && !xMode(a.columnsBy)) return complain(2, QStringLiteral("unknown order %1; known: index, rank, hessian").arg(a.columnsBy));
    FigureOptions options;
    if (kind) options.kind = *kind;
    options.widthMm = a.widthMm;
    options.heightMm = a.heightMm;
    options.fontPt = a.fontPt;
    options.linePt = a.linePt;
    options.pngDpi = a.dpi;
    options.csvPath = a.csv;
    try {
        if (speed) return written(writeFigure(options, readSpeed(toPath(a.directory)), a.out));
        std::optional<Project> project;
        if (isProject) project = projectFromJson(readJson(toPath(a.directory)), a.directory.toStdString());
        options.xMode = xMode(!a.columnsBy.isEmpty() ? a.columnsBy : project ? project->xMode : QString()).value_or(XMode::Index);
        if (a.share || (project && project->errorShare)) options.errorScale = ErrorScale::Share;
        return written(renderFigure(options, figureCurves(a, *kind, project, jobs), a.out));
    } catch (const std::exception& e) {
        return complain(1, QString::fromUtf8(e.what()));
    }
}

}  // namespace owq
