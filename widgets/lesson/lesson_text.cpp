// SPDX-License-Identifier: GPL-3.0-or-later
// The words of the lesson, with the numbers of what is looked at in its equations. Classes: eq (an equation), note (small print).
#include <QCoreApplication>
#include <QLocale>
#include <algorithm>
#include <numeric>

#include "widgets/common/format.h"
#include "widgets/lesson/lesson_pages.h"

namespace owq {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("Lesson", text); }

// "−1.234 × 10<sup>−7</sup>"
QString num(double value, int digits = 4) {
    QString text = numberText(value, digits);
    text.replace(QLatin1Char('-'), QChar(0x2212));
    const qsizetype e = text.indexOf(QLatin1Char('e'));
    if (e < 0) return text;
    QString exponent = text.mid(e + 1).remove(QLatin1Char('+'));
    const bool negative = exponent.startsWith(QChar(0x2212));
    if (negative) exponent.remove(0, 1);
    while (exponent.size() > 1 && exponent.startsWith(QLatin1Char('0'))) exponent.remove(0, 1);
    return QStringLiteral("%1 × 10<sup>%2%3</sup>").arg(text.left(e), negative ? QStringLiteral("−") : QString(), exponent);
}
QString bracketed(double value) { return value < 0 ? QStringLiteral("(%1)").arg(num(value)) : num(value); }
QString percent(double share) { return QStringLiteral("%1 %").arg(num(100 * share, 3)); }
QString times(double ratio) {
    return ratio < 1000 ? num(ratio, ratio < 10 ? 2 : 3) : QLocale(QLocale::English).toString(qRound64(ratio));
}

QString p(const QString& text) { return QStringLiteral("<p>%1</p>").arg(text); }
QString note(const QString& text) { return QStringLiteral("<p class='note'>%1</p>").arg(text); }
QString eq(const QStringList& lines, const QString& number = {}) {
    const QString right = number.isEmpty() ? QString() : QStringLiteral("<td align='right' class='eqno'>%1</td>").arg(number);
    return QStringLiteral("<table class='eq' width='100%' cellspacing='0' cellpadding='6'><tr><td class='eq'>%1</td>%2</tr></table>")
        .arg(lines.join(QStringLiteral("<br>")), right);
}

double median(std::vector<float> values) {
    if (values.empty()) return 0;
    std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(values.size() / 2), values.end());
    return values[values.size() / 2];
}
double sum(const std::vector<float>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

int outlierChannel(const LessonData& data) { return data.columns[size_t(data.outlier)]; }

QString linearText(const LessonData& data) {
    const LayerCurves& whole = *data.whole;
    const double strongest = data.diagonal[size_t(data.outlier)], usual = median(whole.hessianDiagonal);
    QString html = p(tr("These are real weights: %1 of the %2 rows (outputs) and %3 of the %4 columns (input channels) of <b>%5</b>.")
                         .arg(data.height()).arg(whole.rows).arg(data.width()).arg(whole.columns).arg(data.layer.toHtmlEscaped()));
    html += p(tr("Quantization replaces W by a coarser Ŵ. What counts is not how far the weights move, but how far the <i>outputs</i> do:"));
    html += eq({QStringLiteral("E = ‖WX − ŴX‖²")}, tr("Eq. 3"));
    html += p(tr("So it matters which inputs a weight meets. %1 tokens of calibration text (%2) went through the model, and the products of "
                 "this layer's inputs x were added up, over n windows:")
                  .arg(data.tokens).arg(data.text.toHtmlEscaped()));
    html += eq({QStringLiteral("H = <sup>2</sup>⁄<sub>n</sub> Σ x xᵀ")}, tr("Eq. 4"));
    html += p(tr("From this Hessian follows the error of any change ΔW, row by row, without running the model again:"));
    html += eq({QStringLiteral("E<sub>i</sub> = ½ ΔW<sub>i</sub> H ΔW<sub>i</sub>ᵀ")}, tr("Eq. 5"));
    html += note(tr("The paper leaves out the ½, which changes nothing about which Ŵ is best."));
    html += p(tr("The plot shows the diagonal of H, one value for each input channel. <b>Channel %1</b> has %2, %3 times the median of %4: an "
                 "<i>activation outlier</i>. An error in a weight of its column costs that much more.")
                  .arg(outlierChannel(data)).arg(num(strongest), times(strongest / std::max(usual, 1e-30)), num(usual)));
    html += p(tr("Beside it, the piece has the %1 channels of ordinary strength whose inputs go most together with it. With so few columns every "
                 "step can be seen.").arg(data.width() - 1));
    return html;
}

QString gridText(const LessonData& data, const LessonFocus& focus) {
    const LessonGrid& table = data.all.grids[size_t(focus.row)];
    const LessonGrid& without = data.kept.grids[size_t(focus.row)];
    const auto [step, zero] = candidateOf(table, focus);
    const double best = table.at(table.step, table.zero), here = table.at(step, zero);
    double edge = table.at(table.steps, 0);
    for (int z = 0; z <= table.levels; ++z) edge = std::min(edge, table.at(table.steps, z));
    QString html =
        p(tr("With %1 bits a weight becomes one of the codes 0 to %2. Each row has its own scale s and zero z:").arg(data.bits).arg(table.levels));
    html += eq({QStringLiteral("ŵ = s · (code − z)"), QStringLiteral("code = clamp(round(w / s) + z, 0, %1)").arg(table.levels)});
    html += p(tr("Which s and z? The search tries %1 sizes of the step and every zero, and keeps the pair with the least mean of "
                 "|error|<sup>2.4</sup>:").arg(table.steps));
    html += eq({QStringLiteral("s<sub>i</sub> = range · (i / %1) / %2").arg(table.steps).arg(table.levels),
                QStringLiteral("error(i, z) = mean |ŵ − w|<sup>2.4</sup>")});
    html += p(tr("<b>Row %1</b>: its weights span a range of %2. The framed cell was chosen: i = %3, z = %4.")
                  .arg(data.rows[size_t(focus.row)]).arg(num(table.range)).arg(table.step).arg(table.zero));
    html += eq({tr("s = %1 · (%2 / %3) / %4 = %5").arg(num(table.range)).arg(table.step).arg(table.steps).arg(table.levels).arg(num(table.scale)),
                tr("mean |error|<sup>2.4</sup> = %1").arg(num(best))});
    if (step != table.step || zero != table.zero)
        html += p(tr("<b>Under the cursor</b>: i = %1, z = %2, s = %3. Its error is %4, %5 times the least.")
                      .arg(step).arg(zero).arg(num(table.stepSizes[size_t(step - 1)]), num(here), times(best > 0 ? here / best : 1)));
    html +=
        p(tr("The right edge, i = %1, spans the whole range, as plain min-max does: its best error is %2. A smaller step clips the largest weights "
             "but is finer for all the others.")
              .arg(table.steps)
              .arg(num(edge)));
    html += note(tr("Without channel %1, which OWQ keeps in 16 bit, the search of this row ends at i = %2, z = %3.")
                     .arg(outlierChannel(data)).arg(without.step).arg(without.zero));
    html += note(tr("Choose a row above. Arrow keys or a click try another cell; the lower picture shows what it makes of the weights."));
    return html;
}

QString rankingText(const LessonData& data, const LessonFocus& focus) {
    const int c = focus.column >= 0 && focus.column < data.width() ? focus.column : data.outlier;
    const double share = data.sensitivity[size_t(data.outlier)] / std::max(sum(data.sensitivity), 1e-30);
    const std::vector<float>& whole = data.whole->sensitivity;
    const double wholeShare = size_t(outlierChannel(data)) < whole.size() ? whole[size_t(outlierChannel(data))] / std::max(sum(whole), 1e-30) : 0;
    QString html = p(tr("Rounding moves every column a little: ΔW = Ŵ − W. How much does that cost? If only the diagonal of H is looked at, column j "
                        "adds its <i>sensitivity</i> to the error:"));
    html += eq({QStringLiteral("sensitivity<sub>j</sub> = λ<sub>j</sub> ‖ΔW<sub>:,j</sub>‖²")}, tr("Eq. 6"));
    html += p(tr(
        "λ<sub>j</sub> = H<sub>jj</sub> says how strong the inputs are, ‖ΔW<sub>:,j</sub>‖² how far the weights move. Neither is enough alone."));
    html += p(tr("<b>Channel %1</b>:").arg(data.columns[size_t(c)]));
    html +=
        eq({QStringLiteral("%1 · %2 = %3").arg(num(data.diagonal[size_t(c)]), num(data.columnError[size_t(c)]), num(data.sensitivity[size_t(c)]))});
    html += p(tr("Channel %1 carries %2 of the sensitivity of this piece, and %3 of that of all %4 columns of the layer.")
                  .arg(outlierChannel(data)).arg(percent(share), percent(wholeShare)).arg(data.whole->columns));
    html +=
        p(tr("The most sensitive columns are the <b>weak columns</b>. OWQ keeps them in 16 bit and quantizes the rest. Here it is one column; in a "
             "whole model the budget of bits decides how many."));
    html += note(tr("ΔW is measured on a first, coarser search of the grid. Its rounding, not yet the column loop, is what ranks the columns."));
    return html;
}

QString loopText(const LessonData& data, LessonPlace place, const LessonFocus& focus) {
    const LessonLoop& loop = loopOf(data, place.page);
    const int n = data.width(), j = place.turn, r = focus.row, row = data.rows[size_t(r)];
    const LessonTurn& turn = loop.turns[size_t(j)];
    const std::vector<float>& after = loop.after(size_t(j));
    const auto channel = [&](int k) { return data.columns[size_t(loop.order[size_t(k)])]; };
    const bool isOutlier = loop.order[size_t(j)] == data.outlier;
    const double w = turn.before[size_t(r * n + j)], q = turn.rounded[size_t(r)], e = turn.error[size_t(r)], u = loop.factor[size_t(j * n + j)];
    const LessonGrid& grid = loop.grids[size_t(r)];

    QString html;
    if (j == 0 && loop.weak < 0)
        html += p(tr("Columns are rounded one after the other, from left to right. What a column loses is made up for by those that come later. "
                     "<b>Next</b> takes the next column."));
    if (j == 0 && loop.weak >= 0)
        html += p(tr("The same once more, but channel %1 stays in 16 bit. It goes to the end of the order: it is never rounded, yet takes up "
                     "errors of all others.").arg(outlierChannel(data)));
    html += p(tr("<b>Turn %1: channel %2.</b> Row %3, the framed cell, becomes the nearest value of its grid:").arg(j + 1).arg(channel(j)).arg(row));
    html += eq({QStringLiteral("q = s · (code − z) = %1 · (%2 − %3) = %4").arg(num(grid.scale)).arg(turn.codes[size_t(r)]).arg(grid.zero).arg(num(q)),
                QStringLiteral("e = (w − q) / U<sub>jj</sub> = (%1 − %2) / %3 = %4").arg(num(w), bracketed(q), num(u), num(e))}, tr("Eq. 1, 2"));
    if (j + 1 < n) {
        const int k = focus.column > j && focus.column < n ? focus.column : j + 1;
        const double before = turn.before[size_t(r * n + k)], now = after[size_t(r * n + k)], factor = loop.factor[size_t(j * n + k)];
        html += p(tr("The error moves into every later column, by the row of the factor U below the weights (first its pivot U<sub>jj</sub>). For channel %1:").arg(channel(k)));
        html += eq({QStringLiteral("w<sub>k</sub> ← w<sub>k</sub> − e · U<sub>jk</sub>"),
                    QStringLiteral("&nbsp;&nbsp;&nbsp;= %1 − %2 · %3 = %4").arg(num(before), bracketed(e), bracketed(factor), num(now))});
    } else {
        html += p(tr("No column is left to make up for it: this error stays."));
    }
    double so = 0;
    for (int t = 0; t <= j; ++t) so += loop.turns[size_t(t)].loss;
    html += p(tr("Loss of this column over all rows, ½ Σ e²: <b>%1</b>. So far: %2.").arg(num(turn.loss), num(so)));
    if (isOutlier)
        html += p(tr("This is the outlier channel. Its U<sub>jj</sub> is small, because its inputs are strong: the same w − q becomes a large e."));
    else if (loop.weak >= 0 && j + 1 == int(loop.turns.size()))
        html += p(tr("Only the weak column is left. What it took up is stored with it in 16 bit."));
    html += note(tr("Green: rounded. Blue and orange: lowered and raised by this turn, darker for more. Choose a cell to see its numbers."));
    if (j == 0)
        html += note(
            tr("U is the upper Cholesky factor of H<sup>−1</sup>; U<sub>jj</sub>² is the [H<sub>F</sub><sup>−1</sup>]<sub>qq</sub> of the paper, "
               "and "
               "its row j, over U<sub>jj</sub>, the column that Eq. 2 moves errors by. To H's diagonal %1 of its mean was added before (damping).")
                .arg(percent(loop.damping)));
    return html;
}

QString resultText(const LessonData& data) {
    const int outlier = outlierChannel(data);
    const auto line = [&](const QString& what, double error) {
        return QStringLiteral("<tr><td>%1</td><td align='right'><b>%2</b></td><td align='right'>%3</td></tr>")
            .arg(what, num(error), percent(data.plainError > 0 ? error / data.plainError : 0));
    };
    QString html = p(tr("The error of the outputs of the piece, ½ Σ ΔW H ΔWᵀ over its rows:"));
    html +=
        QStringLiteral("<table class='eq' width='100%' cellspacing='0' cellpadding='4'>%1%2%3</table>")
            .arg(line(tr("rounded plainly, no loop"), data.plainError), line(tr("column loop, all in %1 bit").arg(data.bits), data.all.outputError),
                 line(tr("column loop, channel %1 in 16 bit").arg(outlier), data.kept.outputError));
    if (data.kept.outputError > 0 && data.kept.outputError < data.all.outputError)
        html += p(tr("With one column kept in 16 bit the error is <b>%1 times</b> smaller than with all columns rounded.")
                      .arg(times(data.all.outputError / data.kept.outputError)));
    html += p(
        tr("The losses of the turns add up to these errors: nothing is lost between the steps. Of the loss with all columns in %1 bit, channel %2 "
           "has %3.")
            .arg(data.bits)
            .arg(outlier)
            .arg(percent([&] {
                double own = 0, total = 0;
                for (size_t t = 0; t < data.all.turns.size(); ++t) {
                    total += data.all.turns[t].loss;
                    if (data.all.order[t] == data.outlier) own = data.all.turns[t].loss;
                }
                return total > 0 ? own / total : 0.0;
            }())));
    html += p(tr("And the price? 16 bits in place of %1 for one of %2 columns of the layer: %3 bits more per weight.")
                  .arg(data.bits).arg(data.whole->columns).arg(num(double(16 - data.bits) / data.whole->columns, 2)));
    html += note(tr("H with damping, as the loop sees it, in all three. Plain rounding uses the grids of the loop with all columns."));
    html +=
        p(tr("In the window, <i>Analyze</i> finds the weak columns of every layer, the cut in the plots says how many are kept, and <i>Run</i> "
             "does to all "
             "weights what you saw done to these. <i>How the quantization works</i> in the help has the whole method."));
    return html;
}

}  // namespace

QString lessonText(const LessonData& data, LessonPlace place, const LessonFocus& focus) {
    switch (place.page) {
        case LessonPage::linear: return linearText(data);
        case LessonPage::grid: return gridText(data, focus);
        case LessonPage::ranking: return rankingText(data, focus);
        case LessonPage::loop:
        case LessonPage::kept: return loopText(data, place, focus);
        case LessonPage::result: break;
    }
    return resultText(data);
}

}  // namespace owq
