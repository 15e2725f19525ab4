// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/speed/speed_figure.h"

#include <QFontMetricsF>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace owq {
namespace {

using Rows = std::vector<SpeedRow>;

double faster(const SpeedRow& row) { return row.halfSeconds / row.seconds; }

bool sameGroup(const SpeedRow& a, const SpeedRow& b) { return a.rows == b.rows && a.columns == b.columns && a.batch == b.batch; }

QString groupName(const SpeedRow& row, bool withBatch) {
    const QString shape = QStringLiteral("%1 × %2").arg(row.rows).arg(row.columns);
    return withBatch ? QStringLiteral("%1, batch %2").arg(shape).arg(row.batch) : shape;
}

// 1, 2 or 5 times a power of ten: at most six of them up to the largest.
double tickStep(double largest) {
    const double rough = largest / 6, power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= rough) return factor * power;
    return 10 * power;
}

QColor colorOf(int bits, const PlotTheme& theme) {
    const int index = bits == 2 ? 3 : bits == 3 ? 0 : bits == 4 ? 1 : 2;
    return seriesColor(index, theme);
}

class Chart {
public:
    Chart(QPainter& painter, const QRectF& page, const DrawStyle& style, const Rows& rows, const QString& rate)
        : painter_(painter), style_(style), rows_(rows), rate_(rate), em_(style.em()) {
        painter_.setFont(style.font);
        const QFontMetricsF metrics(style.font, painter.device());
        batches_ = std::any_of(rows.begin(), rows.end(), [&](const SpeedRow& r) { return r.batch != rows.front().batch; });
        double names = 0;
        for (const SpeedRow& row : rows) names = std::max(names, metrics.horizontalAdvance(groupName(row, batches_)));
        area_ = page.adjusted(names + em_, 2 * em_, -0.6 * em_, -3.1 * em_);
        for (const SpeedRow& row : rows) largest_ = std::max(largest_, faster(row));
        // The text behind the longest bar needs its room, too.
        text_ = metrics.horizontalAdvance(barText(rows.front())) + 1.2 * em_;
        perUnit_ = (area_.width() - text_) / largest_;
        size_t groups = 1;
        for (size_t i = 1; i < rows.size(); ++i) groups += !sameGroup(rows[i - 1], rows[i]);
        step_ = area_.height() / (double(rows.size()) + 0.6 * double(groups));
        crowded_ = step_ < 0.95 * em_;
    }

    void paint() {
        paintAxis();
        paintLegend();
        double y = area_.top() + 0.3 * step_;
        for (size_t i = 0; i < rows_.size(); ++i) {
            const bool first = i == 0 || !sameGroup(rows_[i - 1], rows_[i]);
            if (first && i > 0) y += 0.6 * step_;
            if (first) paintName(i, y);
            paintBar(rows_[i], y);
            y += step_;
        }
        const double fp16 = area_.left() + perUnit_;
        painter_.setPen(QPen(style_.theme.text, style_.axis, Qt::DashLine));
        painter_.drawLine(QPointF(fp16, area_.top()), QPointF(fp16, area_.bottom()));
    }

private:
    static QString barText(const SpeedRow& row) {
        return QStringLiteral("%1× (%2 %)").arg(faster(row), 0, 'f', 2).arg(100 * row.readShare, 0, 'f', 0);
    }
    void paintName(size_t first, double y) {
        size_t count = 1;
        while (first + count < rows_.size() && sameGroup(rows_[first], rows_[first + count])) ++count;
        painter_.setPen(style_.theme.text);
        painter_.drawText(QRectF(area_.left() - 100 * em_, y, 99.5 * em_, double(count) * step_), Qt::AlignRight | Qt::AlignVCenter, groupName(rows_[first], batches_));
    }
    void paintBar(const SpeedRow& row, double y) {
        const QRectF bar(area_.left(), y + 0.1 * step_, faster(row) * perUnit_, 0.8 * step_);
        painter_.fillRect(bar, colorOf(row.bits, style_.theme));
        if (crowded_) return;
        painter_.setPen(style_.theme.text);
        painter_.drawText(QRectF(bar.right() + 0.4 * em_, y, text_, step_), Qt::AlignLeft | Qt::AlignVCenter, barText(row));
    }
    void paintAxis() {
        const double step = tickStep(largest_);
        for (double value = 0; value <= area_.width() / perUnit_; value += step) {
            const double x = area_.left() + value * perUnit_;
            painter_.setPen(QPen(style_.theme.grid, style_.axis));
            painter_.drawLine(QPointF(x, area_.top()), QPointF(x, area_.bottom()));
            painter_.setPen(style_.theme.text);
            painter_.drawText(QRectF(x - 5 * em_, area_.bottom() + 0.2 * em_, 10 * em_, 1.4 * em_), Qt::AlignHCenter | Qt::AlignTop, QString::number(value));
        }
        painter_.setPen(QPen(style_.theme.axis, style_.axis));
        painter_.drawLine(area_.bottomLeft(), area_.bottomRight());
        painter_.drawLine(area_.topLeft(), area_.bottomLeft());
        painter_.setPen(style_.theme.text);
        const QString title = crowded_ ? QStringLiteral("Speed-up over fp16") : QStringLiteral("Speed-up over fp16 (share of %1)").arg(rate_);
        const double width = std::max(area_.width(), QFontMetricsF(style_.font, painter_.device()).horizontalAdvance(title) + em_);
        painter_.drawText(QRectF(area_.right() - width, area_.bottom() + 1.5 * em_, width, 1.5 * em_), Qt::AlignHCenter | Qt::AlignTop, title);
    }
    void paintLegend() {
        std::set<int> widths;
        for (const SpeedRow& row : rows_) widths.insert(row.bits);
        double x = area_.left();
        const QFontMetricsF metrics(style_.font, painter_.device());
        for (const int bits : widths) {
            painter_.fillRect(QRectF(x, area_.top() - 1.3 * em_, 0.7 * em_, 0.7 * em_), colorOf(bits, style_.theme));
            const QString text = QStringLiteral("%1 bits").arg(bits);
            painter_.setPen(style_.theme.text);
            painter_.drawText(QRectF(x + em_, area_.top() - 1.65 * em_, 20 * em_, 1.4 * em_), Qt::AlignLeft | Qt::AlignVCenter, text);
            x += metrics.horizontalAdvance(text) + 2.2 * em_;
        }
    }

    QPainter& painter_;
    const DrawStyle& style_;
    const Rows& rows_;
    const QString rate_;
    double em_, largest_ = 1, perUnit_ = 1, step_ = 1, text_ = 0;
    bool batches_ = false, crowded_ = false;
    QRectF area_;
};

QString csv(const Rows& rows) {
    QString text = QStringLiteral("rows,columns,batch,bits,weak_columns,seconds,fp16_seconds,times_as_fast_as_fp16,share_of_read_rate\n");
    for (const SpeedRow& r : rows)
        text += QStringLiteral("%1,%2,%3,%4,%5,%6,%7,%8,%9\n")
                    .arg(QString::number(r.rows), QString::number(r.columns), QString::number(r.batch), QString::number(r.bits), QString::number(r.weakColumns),
                         cellText(r.seconds), cellText(r.halfSeconds), cellText(faster(r)), cellText(r.readShare));
    return text;
}

}  // namespace

FigureSource speedFigure(const QString& model, std::vector<SpeedRow> rows, const QString& rate) {
    std::erase_if(rows, [](const SpeedRow& r) { return !(r.seconds > 0) || !(r.halfSeconds > 0) || !std::isfinite(faster(r)); });
    std::stable_sort(rows.begin(), rows.end(), [](const SpeedRow& a, const SpeedRow& b) {
        return std::tuple(a.rows * a.columns, a.rows, a.batch, a.bits) < std::tuple(b.rows * b.columns, b.rows, b.batch, b.bits);
    });
    FigureSource source = paintedFigure(
        QStringLiteral("speed"), QStringLiteral("Speed of packed linears, %1").arg(model),
        [rows, rate](QPainter& painter, const QRectF& page, const DrawStyle& style) { Chart(painter, page, style, rows, rate).paint(); }, [rows] { return csv(rows); });
    if (rows.empty()) source.emptyText = QStringLiteral("Nothing was measured: run owq bench --json FILE and draw that file");
    return source;
}

}  // namespace owq
