// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/translate.h"

#include <QFileInfo>
#include <numeric>

#include "core/jobs/evaluations.h"

namespace owq {
namespace {

QString text(const std::string& s) {
    return QString::fromStdString(s);
}

double sum(const std::vector<float>& values) {
    return values.empty() ? LayerRow::kUnknown : std::accumulate(values.begin(), values.end(), 0.0);
}

LayerCurves curvesOf(const LinearInfo& linear) {
    LayerCurves curves;
    curves.name = text(linear.name);
    curves.kind = kindOf(curves.name);
    curves.rows = int(linear.rows);
    curves.columns = int(linear.columns);
    return curves;
}

}  // namespace

std::filesystem::path toPath(const QString& text) {
    return std::filesystem::path(text.toStdU16String());
}
QString fromPath(const std::filesystem::path& path) {
    return QString::fromStdU16String(path.u16string());
}

LayerRow layerRow(const LinearInfo& linear) {
    LayerRow row;
    row.name = text(linear.name);
    row.block = linear.block;
    row.kind = text(linear.kind);
    row.inputGroup = text(linear.inputGroup);
    row.rows = linear.rows;
    row.columns = linear.columns;
    row.dtype = QString::fromUtf8(name(linear.dtype).data(), qsizetype(name(linear.dtype).size()));
    return row;
}

LayerRow layerRow(const LayerReport& report) {
    LayerRow row = layerRow(report.linear);
    row.quantized = report.quantized;
    if (report.quantized) row.bits = report.bits;
    row.weakColumns = int(report.weakColumns.size());
    row.sensitivity = sum(report.statistics.sensitivity);
    if (report.quantized) row.error = report.error;
    QStringList notes;
    for (const std::string& note : report.notes) notes << text(note);
    row.note = notes.join(QLatin1Char('\n'));
    return row;
}

LayerCurves layerCurves(const LayerReport& report) {
    LayerCurves curves = curvesOf(report.linear);
    const LinearStatistics& s = report.statistics;
    if (report.quantized) curves.bits = report.bits;
    curves.hessianDiagonal = s.hessianDiagonal;
    curves.columnMin = s.columnMin;
    curves.columnMax = s.columnMax;
    curves.columnError = s.columnError;
    curves.sensitivity = s.sensitivity;
    curves.columnLoss = s.columnLoss;
    curves.order.assign(s.order.begin(), s.order.end());
    curves.weakColumns.assign(report.weakColumns.begin(), report.weakColumns.end());
    curves.measured = report.quantized;
    return curves;
}

LayerCurves layerCurves(const LinearInfo& linear, const ColumnRanges& ranges) {
    LayerCurves curves = curvesOf(linear);
    curves.columnMin = ranges.columnMin;
    curves.columnMax = ranges.columnMax;
    return curves;
}

Recipe recipeOf(const RunSettings& settings, bool fixedBudget) {
    Recipe recipe = presetRecipe(settings.preset.toStdString(), methodFromName(settings.method.toStdString()));
    recipe.bits = settings.bits;
    if (recipe.method == Method::owq) recipe.targetBits = settings.targetBits;
    recipe.grid = settings.grid.toStdString();
    recipe.groupSize = settings.groupSize;
    recipe.symmetric = settings.symmetric;
    recipe.seed = settings.seed;
    recipe.metric = metricFromName(settings.metric.toStdString());
    if (recipe.method == Method::rtn) return recipe;  // nothing below applies to plain rounding
    recipe.actOrder = settings.actOrder;
    recipe.trueSequential = settings.trueSequential;
    recipe.storedScales |= settings.storedScales;
    if (settings.damping >= 0) recipe.damping = settings.damping;
    if (settings.refinePasses >= 0) recipe.refinePasses = settings.refinePasses;
    if (settings.inputCorrection >= 0) recipe.inputCorrection = settings.inputCorrection;
    if (!settings.allocation.isEmpty()) recipe.allocation = settings.allocation.toStdString();
    if (fixedBudget) recipe.allocation = "paper";  // where numbers are given there is nothing to allocate
    return recipe;
}

CalibrationOptions calibrationOf(const RunSettings& settings) {
    CalibrationOptions options;
    const bool tokens = settings.calibrationFile.endsWith(QLatin1String(".safetensors"));
    (tokens ? options.tokens : options.text) = toPath(settings.calibrationFile);
    options.samples = settings.samples;
    options.sequenceLength = settings.sequenceLength;
    options.seed = settings.seed;
    return options;
}

QString methodText(Method method) {
    switch (method) {
        case Method::rtn:
            return QStringLiteral("RTN");
        case Method::optq:
            return QStringLiteral("OPTQ");
        default:
            return QStringLiteral("OWQ");
    }
}

QString describe(const Recipe& recipe) {
    const double bits = recipe.method == Method::owq
                            ? (recipe.targetBits > 0 ? recipe.targetBits : recipe.bits + 0.01)
                            : recipe.bits;
    const QString text = QObject::tr("%1 %2 bits").arg(methodText(recipe.method), QString::number(bits, 'g', 4));
    return recipe.preset == "best" ? QObject::tr("%1, best").arg(text) : text;
}

ResultRow resultRow(const RunSummary& run) {
    ResultRow row;
    row.path = fromPath(run.directory);
    row.name = QFileInfo(row.path).fileName();
    row.finished = run.finished;
    row.state =
        run.finished ? QObject::tr("finished") : QObject::tr("%1 of %2 layers").arg(run.done).arg(run.total);
    row.method = methodText(run.recipe.method);
    row.targetBits = run.recipe.method == Method::owq && run.recipe.targetBits > 0 ? run.recipe.targetBits
                                                                                   : run.recipe.bits;
    if (run.finished) {
        const auto known = [](double v) { return v > 0 ? v : ResultRow::kUnknown; };
        row.paperBits = known(run.result.effectiveBits.paper);
        row.storedBits = known(run.result.effectiveBits.stored);
        row.bytes = known(double(run.result.fileBytes ? run.result.fileBytes : run.result.packedBytes));
        row.seconds = known(run.result.seconds.total);
        row.memory = known(double(run.result.peakMemoryBytes));
    }
    return row;
}

QString taskName(const QString& file) {
    return QString::fromStdString(taskTitle(toPath(file)));
}

}  // namespace owq
