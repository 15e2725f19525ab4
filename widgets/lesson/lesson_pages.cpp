// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/lesson/lesson_pages.h"

#include <QCoreApplication>
#include <algorithm>

#include "widgets/common/format.h"

namespace owq {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("Lesson", text); }

QStringList numbered(const std::vector<int>& numbers, const QString& pattern) {
    QStringList names;
    for (const int n : numbers) names << pattern.arg(n);
    return names;
}

QStringList rowNames(const LessonData& data) { return numbered(data.rows, tr("row %1")); }
QStringList channelNames(const LessonData& data) { return numbered(data.columns, QStringLiteral("%1")); }

std::vector<double> asDoubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

double largest(const std::vector<double>& values) {
    double most = 0;
    for (const double v : values) most = std::max(most, std::abs(v));
    return most > 0 ? most : 1;
}

CellGrid pieceGrid(const LessonData& data) {
    CellGrid grid(rowNames(data), channelNames(data));
    const std::vector<double> values = asDoubles(data.weight);
    const CommonPower power = commonPower(values);
    const double most = largest(values);
    grid.name = QStringLiteral("lesson-weights");
    grid.title = tr("Weights of the piece%1; blue below zero, orange above").arg(power.unit());
    grid.xTitle = tr("input channel");
    grid.weakColumn = data.outlier;
    for (int r = 0; r < grid.rows(); ++r)
        for (int c = 0; c < grid.columns(); ++c) {
            const double w = values[size_t(r * grid.columns() + c)];
            grid.at(r, c) = {w, power.text(w), tr("weight of row %1, channel %2").arg(data.rows[size_t(r)]).arg(data.columns[size_t(c)]),
                             CellLook::shaded, w / most, false};
        }
    return grid;
}

CellGrid heatGrid(const LessonData& data, const LessonFocus& focus) {
    const LessonGrid& table = data.all.grids[size_t(focus.row)];
    std::vector<int> zeros, steps;
    for (int z = 0; z <= table.levels; ++z) zeros.push_back(table.levels - z);  // upwards
    for (int i = 1; i <= table.steps; ++i) steps.push_back(i);
    CellGrid grid(numbered(zeros, QStringLiteral("%1")), numbered(steps, QStringLiteral("%1")));
    grid.name = QStringLiteral("lesson-grid-search");
    grid.title = tr("Mean |error|²·⁴ of row %1 for every scale and zero; the chosen cell is framed").arg(data.rows[size_t(focus.row)]);
    grid.xTitle = tr("step size i of %1").arg(table.steps);
    grid.yTitle = tr("zero z");
    double low = INFINITY, high = 0;
    for (const double e : table.error)
        if (e > 0) low = std::min(low, e), high = std::max(high, e);
    if (!(high > low)) low = 1, high = 10;
    grid.heatLow = numberText(low, 3);
    grid.heatHigh = numberText(high, 3);
    for (int r = 0; r < grid.rows(); ++r)
        for (int c = 0; c < grid.columns(); ++c) {
            const int i = c + 1, z = zeros[size_t(r)];
            const double error = table.at(i, z);
            const double shade = error > 0 ? std::log(error / low) / std::log(high / low) : 0;
            grid.at(r, c) = {error, {}, tr("mean |error|²·⁴ at i = %1 (scale %2), z = %3").arg(i).arg(numberText(table.stepSizes[size_t(c)])).arg(z),
                             CellLook::heat, shade, i == table.step && z == table.zero};
        }
    return grid;
}

// What the candidate makes of the row's weights.
CellGrid roundedRow(const LessonData& data, const LessonFocus& focus) {
    const LessonGrid& table = data.all.grids[size_t(focus.row)];
    const auto [step, zero] = candidateOf(table, focus);
    CellGrid grid({tr("w"), tr("code"), tr("ŵ"), tr("ŵ − w")}, channelNames(data));
    grid.name = QStringLiteral("lesson-rounded-row");
    grid.weakColumn = data.outlier;
    grid.xTitle = tr("input channel");
    std::vector<double> weights;
    for (int c = 0; c < grid.columns(); ++c) weights.push_back(data.weight[size_t(focus.row * data.width() + c)]);
    const CommonPower power = commonPower(weights);
    grid.title =
        tr("Row %1 with i = %2, z = %3: weights, codes, rounded weights and errors%4").arg(data.rows[size_t(focus.row)]).arg(step).arg(zero).arg(power.unit());
    const double most = largest(weights), size = table.stepSizes[size_t(step - 1)];
    for (int c = 0; c < grid.columns(); ++c) {
        const double w = weights[size_t(c)];
        const LessonCode code = codeOn(table, step, zero, w);
        const QString where = tr("row %1, channel %2").arg(data.rows[size_t(focus.row)]).arg(data.columns[size_t(c)]);
        grid.at(0, c) = {w, power.text(w), tr("weight of %1").arg(where), CellLook::shaded, w / most, false};
        grid.at(1, c) = {double(code.code), QString::number(code.code), tr("code of %1").arg(where), CellLook::plain, 0, false};
        grid.at(2, c) = {code.value, power.text(code.value), tr("rounded weight of %1").arg(where), CellLook::done, 0, false};
        grid.at(3, c) = {code.value - w, power.text(code.value - w), tr("error of %1").arg(where), CellLook::shaded, (code.value - w) / size, false};
    }
    return grid;
}

void fillBars(CellGrid& grid, int row, const std::vector<double>& values, double most, const CommonPower& power, const QString& about,
              const LessonData& data) {
    for (int c = 0; c < grid.columns(); ++c) {
        const double v = values[size_t(c)];
        if (std::isnan(v)) continue;
        QString text = power.text(v);
        if (v > 0 && text == QLatin1String("0.00")) text = QStringLiteral("<0.01");
        grid.at(row, c) = {v,        text, about.arg(data.columns[size_t(c)]), c == data.outlier ? CellLook::weakBar : CellLook::bar,
                           v / most, false};
    }
}

CellGrid rankingGrid(const LessonData& data) {
    const std::vector<double> values[3] = {asDoubles(data.diagonal), asDoubles(data.columnError), asDoubles(data.sensitivity)};
    const QString names[3] = {tr("λⱼ%1"), tr("‖ΔWⱼ‖²%1"), tr("product%1")};
    const QString about[3] = {tr("λ, the Hessian's diagonal, of channel %1"), tr("‖ΔW‖² of channel %1"), tr("sensitivity of channel %1")};
    QStringList rows;
    for (int i = 0; i < 3; ++i) rows << names[i].arg(commonPower(values[i]).unit());
    CellGrid grid(rows, channelNames(data));
    grid.name = QStringLiteral("lesson-ranking");
    grid.title = tr("How strong each input is, how far rounding moves its column, and the product of both");
    grid.xTitle = tr("input channel");
    grid.weakColumn = data.outlier;
    for (int i = 0; i < 3; ++i) fillBars(grid, i, values[i], largest(values[i]), commonPower(values[i]), about[i], data);
    return grid;
}

CellGrid loopGrid(const LessonData& data, const LessonLoop& loop, int turn, const LessonFocus& focus) {
    const int rows = data.height(), n = data.width();
    const LessonTurn& now = loop.turns[size_t(turn)];
    const std::vector<float>& after = loop.after(size_t(turn));
    std::vector<double> change(after.size()), factor;
    double most = 0;
    for (int r = 0; r < rows; ++r)
        for (int k = turn + 1; k < n; ++k) {
            const size_t at = size_t(r * n + k);
            change[at] = double(after[at]) - now.before[at];
            most = std::max(most, std::abs(change[at]));
        }
    for (int k = turn + 1; k < n; ++k) factor.push_back(loop.factor[size_t(turn * n + k)]);
    const CommonPower power = commonPower(asDoubles(data.weight)), ofFactor = commonPower(factor), ofError = commonPower(asDoubles(now.error));

    QStringList names = rowNames(data), columns;
    names << tr("Uⱼⱼ, Uⱼₖ%1").arg(ofFactor.unit());
    for (const int c : loop.order) columns << QString::number(data.columns[size_t(c)]);
    columns << tr("e");
    CellGrid grid(names, columns);
    const int channel = data.columns[size_t(loop.order[size_t(turn)])];
    grid.name = QStringLiteral("lesson-loop-%1").arg(turn + 1);
    grid.title = (turn + 1 < n ? tr("Turn %1 of %2: channel %3 is rounded, its error moves right (weights%4, e%5)")
                               : tr("Turn %1 of %2: channel %3 is rounded, its error stays (weights%4, e%5)"))
                     .arg(turn + 1).arg(loop.turns.size()).arg(channel).arg(power.unit(), ofError.unit());
    grid.xTitle = tr("input channel, in the order of the loop");
    grid.gapRow = rows;
    grid.gapColumn = n;
    grid.weakColumn = int(std::find(loop.order.begin(), loop.order.end(), data.outlier) - loop.order.begin());
    for (int r = 0; r < rows; ++r) {
        const QString row = tr("row %1").arg(data.rows[size_t(r)]);
        for (int k = 0; k < n; ++k) {
            const size_t at = size_t(r * n + k);
            const double w = after[at];
            const QString where = QStringLiteral("%1, %2").arg(row, tr("channel %1").arg(data.columns[size_t(loop.order[size_t(k)])]));
            grid.at(r, k) = k <= turn ? Cell{w, power.text(w), tr("rounded weight of %1").arg(where), CellLook::done, 0, k == turn && r == focus.row}
                                      : Cell{w, power.text(w), tr("weight of %1 after this turn, changed by %2").arg(where, numberText(change[at])),
                                             CellLook::shaded, most > 0 ? change[at] / most : 0, false};
        }
        grid.at(r, n) = {now.error[size_t(r)], ofError.text(now.error[size_t(r)]), tr("e of %1").arg(row), CellLook::plain, 0, false};
    }
    for (int k = turn; k < n; ++k) {
        const double u = loop.factor[size_t(turn * n + k)];
        // The pivot is of another size than what moves errors.
        grid.at(rows, k) = {u, k == turn ? numberText(u, 3) : ofFactor.text(u), tr("U at row %1, column %2 of the factor").arg(turn + 1).arg(k + 1), CellLook::plain, 0, false};
    }
    return grid;
}

CellGrid resultGrid(const LessonData& data) {
    const auto losses = [&](const LessonLoop& loop) {
        std::vector<double> byColumn(size_t(data.width()), 0);
        for (size_t j = 0; j < loop.turns.size(); ++j) byColumn[size_t(loop.order[j])] = loop.turns[j].loss;
        return byColumn;
    };
    const std::vector<double> all = losses(data.all), kept = losses(data.kept);
    const double most = std::max(largest(all), largest(kept));
    const CommonPower power = commonPower(largest(all) > largest(kept) ? all : kept);
    CellGrid grid({tr("all in %1 bit").arg(data.bits), tr("%1 in 16 bit").arg(data.columns[size_t(data.outlier)])}, channelNames(data));
    grid.name = QStringLiteral("lesson-losses");
    grid.title = tr("Loss of each column, ½ Σ e²%1, in the two loops on one scale").arg(power.unit());
    grid.xTitle = tr("input channel");
    grid.weakColumn = data.outlier;
    fillBars(grid, 0, all, most, power, tr("loss of channel %1, all columns quantized"), data);
    fillBars(grid, 1, kept, most, power, tr("loss of channel %1, the outlier in 16 bit"), data);
    grid.at(1, data.outlier).text = tr("16 bit");
    return grid;
}

}  // namespace

std::pair<int, int> candidateOf(const LessonGrid& grid, const LessonFocus& focus) {
    return focus.step > 0 ? std::pair(focus.step, focus.zero) : std::pair(grid.step, grid.zero);
}

LessonCode codeOn(const LessonGrid& grid, int step, int zero, double weight) {
    // In fp32 and half to even, as the search computes.
    const float size = float(grid.stepSizes[size_t(step - 1)]);
    const float code = std::clamp(std::nearbyint(float(weight) / size) + float(zero), 0.f, float(grid.levels));
    return {int(code), double(size * (code - float(zero)))};
}

std::vector<LessonPlace> lessonPlaces(const LessonData& data) {
    std::vector<LessonPlace> places{{LessonPage::linear, 0}, {LessonPage::grid, 0}, {LessonPage::ranking, 0}};
    for (int t = 0; t < int(data.all.turns.size()); ++t) places.push_back({LessonPage::loop, t});
    for (int t = 0; t < int(data.kept.turns.size()); ++t) places.push_back({LessonPage::kept, t});
    places.push_back({LessonPage::result, 0});
    return places;
}

QString lessonPageTitle(LessonPage page, const LessonData& data) {
    switch (page) {
        case LessonPage::linear: return tr("A linear and its inputs");
        case LessonPage::grid: return tr("The grid: scale and zero");
        case LessonPage::ranking: return tr("Which column is weak?");
        case LessonPage::loop: return tr("The column loop, all in %1 bit").arg(data.bits);
        case LessonPage::kept: return tr("The outlier kept in 16 bit");
        case LessonPage::result: break;
    }
    return tr("What it changed");
}

LessonScene lessonScene(const LessonData& data, LessonPlace place, const LessonFocus& focus) {
    LessonScene scene;
    scene.heading = lessonPageTitle(place.page, data);
    scene.html = lessonText(data, place, focus);
    switch (place.page) {
        case LessonPage::linear:
            scene.showsPlot = true;
            scene.side = pieceGrid(data);
            break;
        case LessonPage::grid:
            scene.main = heatGrid(data, focus);
            scene.side = roundedRow(data, focus);
            break;
        case LessonPage::ranking: scene.main = rankingGrid(data); break;
        case LessonPage::loop:
        case LessonPage::kept: scene.main = loopGrid(data, loopOf(data, place.page), place.turn, focus); break;
        case LessonPage::result: scene.main = resultGrid(data); break;
    }
    return scene;
}

}  // namespace owq
