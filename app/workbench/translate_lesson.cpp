// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/translate_lesson.h"

#include "app/workbench/translate.h"

namespace owq {
namespace {

LessonGrid gridOf(const GridTable& table, float scale) {
    LessonGrid grid;
    grid.steps = table.steps;
    grid.levels = table.levels;
    grid.range = table.range;
    for (int i = 1; i <= table.steps; ++i) grid.stepSizes.push_back(table.stepSize(i));
    grid.error = table.error;
    grid.step = table.step;
    grid.zero = table.zero;
    grid.scale = scale;
    return grid;
}

LessonLoop loopOf(const ColumnTrace& trace) {
    const LinearOutcome& outcome = trace.outcome;
    LessonLoop loop;
    loop.order.assign(outcome.statistics.order.begin(), outcome.statistics.order.end());
    if (!outcome.weight.weakColumns.empty()) loop.weak = outcome.weight.weakColumns.front();
    loop.damping = outcome.damping;
    loop.factor = trace.factor;
    for (size_t r = 0; r < trace.grids.size(); ++r) loop.grids.push_back(gridOf(trace.grids[r], outcome.weight.scale[r]));
    for (const TraceStep& step : trace.steps)
        loop.turns.push_back({step.before, {step.codes.begin(), step.codes.end()}, step.rounded, step.error, step.loss});
    loop.last = trace.last;
    loop.outputError = trace.outputError;
    return loop;
}

}  // namespace

LessonDataPtr lessonData(const LessonResult& result, const QString& model, const QString& text) {
    auto data = std::make_shared<LessonData>();
    data->model = model;
    data->layer = QString::fromStdString(result.linear.name);
    data->text = text;
    data->bits = result.bits;
    data->tokens = int(result.tokens);
    data->rows.assign(result.rows.begin(), result.rows.end());
    data->columns.assign(result.columns.begin(), result.columns.end());
    data->weight = result.weight;
    data->hessian = result.hessian;
    const LinearStatistics& piece = result.kept.outcome.statistics;
    data->diagonal = piece.hessianDiagonal;
    data->columnError = piece.columnError;
    data->sensitivity = piece.sensitivity;
    LayerReport whole;
    whole.linear = result.linear;
    whole.statistics = result.statistics;
    data->whole = std::make_shared<const LayerCurves>(layerCurves(whole));
    data->plain = result.plain;
    data->plainError = result.plainError;
    data->all = loopOf(result.all);
    data->kept = loopOf(result.kept);
    data->outlier = std::max(0, data->kept.weak);
    return data;
}

}  // namespace owq
