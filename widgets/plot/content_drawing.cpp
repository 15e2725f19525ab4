// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/content_drawing.h"

#include <QFontMetricsF>
#include <QHash>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "widgets/plot/qcustomplot.h"
#include "widgets/plot/whole_ticker.h"

namespace owq {
namespace {

const QString kMarks = QStringLiteral("marks");  // layer of weak columns, cuts and labels
constexpr size_t kLegendEntries = 12;           // of more linears the kinds are listed, which have colours of their own
constexpr size_t kLabelledBlocks = 3;        // outlier labels of more linears would bury the curves
constexpr size_t kOutliers = 24;             // candidates for a label per linear
constexpr double kOutlierOverMedian = 8;     // what counts as an outlier
constexpr size_t kManyPoints = 300'000;      // above: no antialiasing, no dashes, thinned out on screen
constexpr size_t kManyCurves = 60;           // from here on plain squares for weak columns and solid cuts: a twentieth of the time
constexpr size_t kThinnedPoints = 40'000;    // what is drawn of them

QCPScatterStyle::ScatterShape scatterShape(MarkerShape marker) {
    switch (marker) {
        case MarkerShape::Square: return QCPScatterStyle::ssSquare;
        case MarkerShape::Diamond: return QCPScatterStyle::ssDiamond;
        case MarkerShape::TriangleUp: return QCPScatterStyle::ssTriangle;
        case MarkerShape::TriangleDown: return QCPScatterStyle::ssTriangleInverted;
        case MarkerShape::Cross: return QCPScatterStyle::ssCross;
        case MarkerShape::Plus: return QCPScatterStyle::ssPlus;
        case MarkerShape::Star: return QCPScatterStyle::ssStar;
        case MarkerShape::Disc: break;
    }
    return QCPScatterStyle::ssCircle;
}

QVector<QCPGraphData> pointsOf(const PlotContent& content, const std::vector<double>& values) {
    QVector<QCPGraphData> points;
    points.reserve(static_cast<qsizetype>(values.size()));
    double x = 0;
    for (const double value : values) points.append({x++, content.drawn(value)});
    return points;
}

size_t pointCount(const PlotContent& content) {
    size_t count = 0;
    for (const PlotBlock& block : content.blocks)
        for (const auto& values : block.values) count += values.size();
    return count;
}

struct Extremes {
    size_t low, high;
};

// Where the smallest and the largest value stand; 0 where all are NaN. Values first, in four lanes without a branch, then their places: a
// selection has millions of values.
Extremes extremes(std::span<const double> values) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    double low[4] = {inf, inf, inf, inf}, high[4] = {-inf, -inf, -inf, -inf};
    const auto take = [&](size_t lane, double value) {
        low[lane] = value < low[lane] ? value : low[lane];
        high[lane] = value > high[lane] ? value : high[lane];
    };
    size_t i = 0;
    for (; i + 4 <= values.size(); i += 4)
        for (size_t lane = 0; lane < 4; ++lane) take(lane, values[i + lane]);
    for (; i < values.size(); ++i) take(0, values[i]);
    const auto placeOf = [&](double value) {
        const auto at = std::find(values.begin(), values.end(), value);
        return at == values.end() ? size_t(0) : static_cast<size_t>(at - values.begin());
    };
    return {placeOf(*std::min_element(low, low + 4)), placeOf(*std::max_element(high, high + 4))};
}

}  // namespace

ContentDrawing::ContentDrawing(QCustomPlot* plot) : QObject(plot), plot_(plot) {
    plot_->setAutoAddPlottableToLegend(false);
    plot_->setPlottingHint(QCP::phFastPolylines, true);
    plot_->addLayer(kMarks, plot_->layer(QStringLiteral("main")), QCustomPlot::limAbove);
    plot_->layer(kMarks)->setMode(QCPLayer::lmBuffered);  // a cut that is dragged repaints no curve
    // The legend stands above the axes, where it cannot cover a curve.
    legend_ = new QCPLegend;
    legend_->setFillOrder(QCPLayoutGrid::foColumnsFirst);
    auto* row = new QCPLayoutGrid;
    plot_->plotLayout()->insertRow(0);
    plot_->plotLayout()->addElement(0, 0, row);
    row->addElement(0, 0, legend_);
    row->addElement(0, 1, new QCPLayoutElement(plot_));
    row->setColumnStretchFactor(0, 0.001);
    plot_->plotLayout()->setRowStretchFactor(0, 0.001);
    legend_->setLayer(QStringLiteral("legend"));
    plot_->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new WholeTicker));
    plot_->xAxis->setNumberFormat(QStringLiteral("f"));
    plot_->xAxis->setNumberPrecision(0);
    connect(plot_->yAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, [this] { chooseTicks(); });
    connect(plot_->xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, [this] { thinOut(); });
    connect(plot_, &QCustomPlot::afterLayout, this, [this] { placeLabels(); }, Qt::DirectConnection);  // on the thread that paints
}

double ContentDrawing::xLower(const PlotContent& content) { return -0.5 - 0.01 * content.length; }
double ContentDrawing::xUpper(const PlotContent& content) { return content.length - 0.5 + 0.01 * content.length; }

void ContentDrawing::show(const PlotContent& content, const DrawStyle& style, const PlotView& view) {
    content_ = &content;
    style_ = style;
    legend_->clearItems();
    plot_->clearPlottables();
    for (QCPAbstractItem* item : items_) plot_->removeItem(item);
    items_.clear();
    outliers_.clear();
    curves_.clear();
    clampMarks_ = nullptr;
    weakMarks_.clear();
    cuts_.clear();
    const bool many = pointCount(content) > kManyPoints;
    thin_ = many && (style_.thin || !style_.paper);
    plot_->setNotAntialiasedElements(many ? QCP::aePlottables | QCP::aeScatters | QCP::aeItems : QCP::AntialiasedElements(QCP::aeNone));
    plot_->yAxis->setScaleType(content.logY ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    setView(view);  // before the curves, which are thinned out for it
    styleAxes(*plot_, *legend_, style_);
    plot_->xAxis->setLabel(content.xTitle);
    plot_->yAxis->setLabel(content.yTitle);
    chooseTicks();
    addCurves(content);
    addWeakMarks(content);
    addClampMarks(content);
    addCuts(content);
    addLegendKeys(content);
    if (content.labelOutliers) findOutliers(content);
    legend_->setVisible(legend_->itemCount() > 0);
    if (!style_.paper) fill();
}

void ContentDrawing::fill() {
    thinOut();
    if (!thin_)
        for (const Curve& curve : curves_) curve.graph->data()->set(pointsOf(*content_, *curve.values), true);
    for (const WeakMarks& marks : weakMarks_) setWeakData(marks);
    if (clampMarks_) setClampData();
}

void ContentDrawing::setView(const PlotView& view) {
    plot_->xAxis->setRange(view.xLower, view.xUpper);
    plot_->yAxis->setRange(view.yLower, view.yUpper);
}

void ContentDrawing::chooseTicks() {
    QCPAxis* axis = plot_->yAxis;
    const QCPRange range = axis->range();
    // A logarithmic ticker has nothing to say within one decade.
    if (axis->scaleType() == QCPAxis::stLogarithmic && range.lower > 0 && range.upper / range.lower > 15) {
        QSharedPointer<QCPAxisTickerLog> ticker(new QCPAxisTickerLog);
        ticker->setTickCount(6);
        axis->setTicker(ticker);
        axis->setNumberFormat(QStringLiteral("ebc"));
        axis->setNumberPrecision(0);
    } else {
        axis->setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
        axis->setNumberFormat(QStringLiteral("gbc"));
        axis->setNumberPrecision(4);
    }
}

QCPGraph* ContentDrawing::addGraph(const QString& legend) {
    QCPGraph* graph = plot_->addGraph();
    graph->setSelectable(QCP::stNone);
    graph->setName(legend);
    if (!legend.isEmpty()) graph->addToLegend(legend_);
    return graph;
}

void ContentDrawing::addCurves(const PlotContent& content) {
    const bool many = pointCount(content) > kManyPoints;
    const bool single = content.blocks.size() == 1;
    const bool pairs = content.values.size() > 1 && content.shape == CurveShape::Line;  // the dash tells the values apart
    const bool byKind = content.blocks.size() > kLegendEntries;
    QHash<QString, int> ofKind;
    for (const PlotBlock& block : content.blocks) ++ofKind[block.kind];
    for (const PlotBlock& block : content.blocks) {
        const QColor color = seriesColor(block.look.color, style_.theme);
        QString legend = block.shortName;
        if (byKind) {
            const int count = std::exchange(ofKind[block.kind], 0);
            legend = count > 1 ? QStringLiteral("%1 × %2").arg(block.kind).arg(count) : count == 1 ? block.shortName : QString();
        }
        const bool few = !single && content.blocks.size() <= kLabelledBlocks;
        if (block.cut && few && content.kind == PlotKind::Sensitivity) legend += QStringLiteral(", k = %1").arg(block.weakCount);
        if (pairs && !legend.isEmpty()) addGraph(std::exchange(legend, QString()))->setPen(penOf(color, style_.line));
        for (size_t v = 0; v < content.values.size(); ++v) {
            if (!block.hasValue(v)) continue;
            if (content.shape == CurveShape::Range && !thin_) {
                const auto data = QSharedPointer<QCPGraphDataContainer>::create();  // of both
                if (single) {
                    // Strokes, dots over them: a filled band of 11,008 columns takes 400 ms, impulses take two.
                    QCPGraph* strokes = addGraph(QString());
                    strokes->setData(data);
                    strokes->setLineStyle(QCPGraph::lsImpulse);
                    strokes->setPen(penOf(blend(style_.theme.background, color, 0.3), style_.paper ? style_.line * 0.4 : 1));
                }
                QCPGraph* dots = addGraph(std::exchange(legend, QString()));
                dots->setData(data);
                curves_.push_back({dots, &block.values[v]});
                dots->setLineStyle(QCPGraph::lsNone);
                const double size = style_.em() * (content.length > 1500 ? 0.12 : 0.22);
                dots->setScatterStyle({QCPScatterStyle::ssSquare, QPen(color, 0), QBrush(color), size});
                dots->setPen(QPen(color, 0));
                dots->setAdaptiveSampling(!style_.paper);
                continue;
            }
            QCPGraph* graph = addGraph(std::exchange(legend, QString()));
            curves_.push_back({graph, &block.values[v]});
            const bool dashed = (pairs ? content.values[v].secondary : block.look.dash > 0 && !byKind) && !many;
            const int dash = pairs ? 1 : block.look.dash;
            // Neighbouring channels have nothing to do with each other: in a figure their zigzag is drawn thin.
            const bool zigzag = style_.paper && content.xMode == XMode::Index && content.length > 500;
            graph->setAntialiased(!zigzag || !style_.raster);  // a tenth of the time, and no difference at print resolution
            graph->setPen(penOf(color, style_.line * (zigzag ? 0.5 : 1), dashed ? dashPattern(dash) : QList<qreal>()));
        }
    }
}

void ContentDrawing::addWeakMarks(const PlotContent& content) {
    weakNamed_ = false;
    if (content.kind == PlotKind::CumulativeError) return;
    const QColor color = weakColor(style_.theme);
    for (size_t b = 0; b < content.blocks.size(); ++b) {
        const PlotBlock& block = content.blocks[b];
        for (size_t v = 0; v < content.values.size(); ++v) {
            if (!block.hasValue(v)) continue;
            const bool name = block.weakCount > 0 && !weakNamed_;
            weakNamed_ |= name;
            QCPGraph* graph = addGraph(name ? QStringLiteral("weak columns") : QString());
            graph->setLayer(kMarks);
            const bool strokes = content.shape == CurveShape::Range && content.blocks.size() == 1;
            graph->setLineStyle(strokes ? QCPGraph::lsImpulse : QCPGraph::lsNone);
            graph->setPen(penOf(color, style_.line * (style_.paper ? 0.7 : 1)));
            graph->setAdaptiveSampling(!style_.paper);
            const auto shape = content.blocks.size() > 1 ? scatterShape(block.look.marker) : QCPScatterStyle::ssCircle;
            if (content.blocks.size() >= kManyCurves && !style_.paper)
                graph->setScatterStyle({QCPScatterStyle::ssSquare, Qt::NoPen, QBrush(color), style_.em() * 0.3});
            else
                graph->setScatterStyle({shape, penOf(color, style_.line * 0.8), QBrush(color), style_.em() * 0.4});
            weakMarks_.push_back({graph, b, v});
        }
    }
}

void ContentDrawing::setWeakData(const WeakMarks& marks) {
    const PlotBlock& block = content_->blocks[marks.block];
    QVector<QCPGraphData> points;
    if (block.weakCount > 0)
        for (auto at = block.weak.begin(); (at = std::find(at, block.weak.end(), 1)) != block.weak.end(); ++at) {
            const auto i = static_cast<size_t>(at - block.weak.begin());
            points.append({static_cast<double>(i), content_->drawn(block.values[marks.value][i])});
        }
    if (content_->kind == PlotKind::ErrorSaved && points.size() > 1) points = {points.last()};  // what all of them save
    marks.graph->data()->set(points, true);
}

bool ContentDrawing::moveWeak(size_t block) {
    const auto& blocks = content_->blocks;
    const bool named = content_->kind != PlotKind::CumulativeError &&
                       std::any_of(blocks.begin(), blocks.end(), [](const PlotBlock& b) { return b.weakCount > 0; });
    const auto withCut = static_cast<size_t>(std::count_if(blocks.begin(), blocks.end(), [](const PlotBlock& b) { return b.cut.has_value(); }));
    if (named != weakNamed_ || withCut != cuts_.size()) return false;
    for (const WeakMarks& marks : weakMarks_)
        if (marks.block == block) setWeakData(marks);
    for (const Cut& cut : cuts_) {
        if (cut.block != block) continue;
        if (!blocks[block].cut) return false;
        placeCut(cut);
    }
    if (plot_->isVisible()) plot_->layer(kMarks)->replot();
    return true;
}

void ContentDrawing::addClampMarks(const PlotContent& content) {
    if (!content.logY || content.clamped == 0) return;
    const auto exponent = std::lround(std::log10(content.logFloor));
    clampMarks_ = addGraph(QStringLiteral("%1 below 1e%2, drawn there").arg(content.clamped).arg(exponent));
    clampMarks_->setLayer(kMarks);
    clampMarks_->setLineStyle(QCPGraph::lsNone);
    clampMarks_->setScatterStyle(
        {QCPScatterStyle::ssTriangleInverted, penOf(style_.theme.axis, style_.axis), Qt::NoBrush, style_.em() * 0.45});
}

void ContentDrawing::setClampData() {
    QVector<QCPGraphData> points;
    for (const PlotBlock& block : content_->blocks)
        for (const auto& values : block.values)
            for (size_t i = 0; i < values.size(); ++i)
                if (std::isfinite(values[i]) && values[i] < content_->logFloor)
                    points.append({static_cast<double>(i), content_->logFloor});
    clampMarks_->data()->set(points, content_->blocks.size() == 1);
}

void ContentDrawing::addCuts(const PlotContent& content) {
    for (size_t b = 0; b < content.blocks.size(); ++b) {
        const PlotBlock& block = content.blocks[b];
        if (!block.cut || (style_.paper && block.weakCount == 0)) continue;  // a figure has no handles
        const QColor color = content.blocks.size() == 1 ? weakColor(style_.theme) : seriesColor(block.look.color, style_.theme);
        Cut cut{b, new QCPItemStraightLine(plot_), nullptr};
        cut.line->setLayer(kMarks);
        cut.line->setPen(penOf(color, style_.line, content.blocks.size() >= kManyCurves ? QList<qreal>() : QList<qreal>{4, 3}));
        cut.line->setSelectable(false);
        items_.push_back(cut.line);
        if (content.blocks.size() == 1) {  // they would overlap; the sensitivity legend has the numbers
            cut.text = new QCPItemText(plot_);
            cut.text->setLayer(kMarks);
            cut.text->setFont(style_.font);
            cut.text->setColor(color);
            cut.text->setSelectable(false);
            cut.text->setPadding(QMargins(static_cast<int>(style_.em() * 0.4), 0, static_cast<int>(style_.em() * 0.4), 0));
            cut.text->setPositionAlignment(Qt::AlignRight | Qt::AlignBottom);
            items_.push_back(cut.text);
        }
        placeCut(cut);
        cuts_.push_back(cut);
    }
}

void ContentDrawing::placeCut(const Cut& cut) {
    const PlotBlock& block = content_->blocks[cut.block];
    const bool vertical = content_->xMode != XMode::Index;
    cut.line->point1->setCoords(vertical ? *block.cut : 0, vertical ? 1 : *block.cut);
    cut.line->point2->setCoords(vertical ? *block.cut : 1, vertical ? 2 : *block.cut);
    if (!cut.text) return;
    cut.text->setText(QStringLiteral("k = %1").arg(block.weakCount));
    cut.text->position->setTypeX(vertical ? QCPItemPosition::ptPlotCoords : QCPItemPosition::ptAxisRectRatio);
    cut.text->position->setTypeY(vertical ? QCPItemPosition::ptAxisRectRatio : QCPItemPosition::ptPlotCoords);
    cut.text->position->setCoords(vertical ? *block.cut : 1, vertical ? 0.98 : *block.cut);  // below the rising curves
}

void ContentDrawing::addLegendKeys(const PlotContent& content) {
    if (content.shape != CurveShape::Line || content.values.size() < 2) return;
    for (size_t v = 0; v < content.values.size(); ++v) {
        const bool used = std::any_of(content.blocks.begin(), content.blocks.end(), [v](const PlotBlock& b) { return b.hasValue(v); });
        if (!used) continue;
        QCPGraph* key = addGraph(content.values[v].legend);
        key->setPen(penOf(style_.theme.text, style_.line, content.values[v].secondary ? dashPattern(1) : QList<qreal>()));
    }
}

void ContentDrawing::findOutliers(const PlotContent& content) {
    for (size_t b = 0; b < std::min(content.blocks.size(), kLabelledBlocks); ++b) {
        const PlotBlock& block = content.blocks[b];
        const std::vector<double>& values = block.values.front();
        std::vector<size_t> order;
        for (size_t i = 0; i < values.size(); ++i)
            if (std::isfinite(values[i]) && values[i] > 0) order.push_back(i);
        if (order.size() < 3) continue;
        const auto larger = [&](size_t a, size_t c) { return values[a] > values[c]; };
        std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(order.size() / 2), order.end(), larger);
        const double median = values[order[order.size() / 2]];
        const size_t count = std::min(kOutliers, order.size());
        std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(count), order.end(), larger);
        for (size_t i = 0; i < count && values[order[i]] > kOutlierOverMedian * median; ++i) {
            auto* label = new QCPItemText(plot_);
            label->setLayer(kMarks);
            label->setText(QString::number(block.column[order[i]]));
            QFont font = style_.font;
            font.setPixelSize(std::max(1, static_cast<int>(style_.em() * 0.85)));
            label->setFont(font);
            label->setColor(content.blocks.size() == 1 ? style_.theme.text : seriesColor(block.look.color, style_.theme));
            label->setPositionAlignment(Qt::AlignHCenter | Qt::AlignBottom);
            label->setPadding(QMargins(0, 0, 0, static_cast<int>(style_.em() * 0.3)));
            label->setSelectable(false);
            label->setClipToAxisRect(false);
            const double x = static_cast<double>(order[i]);
            label->position->setCoords(x, values[order[i]]);
            items_.push_back(label);
            outliers_.push_back({x, values[order[i]], label});
        }
    }
    std::stable_sort(outliers_.begin(), outliers_.end(), [](const Outlier& a, const Outlier& b) { return a.y > b.y; });
}

// The smallest and largest value of each stretch of the visible range: what a dense curve looks like, at a price that does not grow with
// its length. Zoomed in, a stretch is a single column and nothing is left out.
void ContentDrawing::thinOut() {
    if (!thin_ || curves_.empty()) return;
    const size_t stretches = std::max<size_t>(64, kThinnedPoints / curves_.size() / 2);
    const QCPRange range = plot_->xAxis->range();
    for (const Curve& curve : curves_) {
        const std::vector<double>& values = *curve.values;
        const auto size = static_cast<double>(values.size());
        const auto first = static_cast<size_t>(std::clamp(std::floor(range.lower) - 1, 0.0, size));
        const auto last = static_cast<size_t>(std::clamp(std::ceil(range.upper) + 2, 0.0, size));
        const size_t length = std::max<size_t>(1, (last - first + stretches - 1) / stretches);
        QVector<QCPGraphData> points;
        points.reserve(static_cast<qsizetype>(2 * stretches + 2));
        for (size_t at = first; at < last; at += length) {
            const Extremes found = extremes({values.data() + at, std::min(length, last - at)});
            const size_t low = at + found.low, high = at + found.high;
            points.append({static_cast<double>(std::min(low, high)), content_->drawn(values[std::min(low, high)])});
            if (low != high) points.append({static_cast<double>(std::max(low, high)), content_->drawn(values[std::max(low, high)])});
        }
        curve.graph->data()->set(points, true);
    }
}

// Largest first, each label only where it covers no other. Runs after each layout, when pixel positions are known.
void ContentDrawing::placeLabels() {
    std::vector<QRectF> taken;
    QFont font = style_.font;
    font.setPixelSize(std::max(1, static_cast<int>(style_.em() * 0.85)));
    const QFontMetricsF metrics(font);
    const QRectF area(plot_->axisRect()->rect());
    for (const Outlier& outlier : outliers_) {
        const double x = plot_->xAxis->coordToPixel(outlier.x), y = plot_->yAxis->coordToPixel(outlier.y);
        const double width = metrics.horizontalAdvance(outlier.label->text()) + style_.em() * 0.3;
        const double height = metrics.height() + style_.em() * 0.3;
        const QRectF box(x - width / 2, y - height, width, height);
        const bool free = area.contains(QPointF(x, y)) && area.contains(box.center()) && taken.size() < 12 &&
                          std::none_of(taken.begin(), taken.end(), [&](const QRectF& other) { return other.intersects(box); });
        outlier.label->setVisible(free);
        if (free) taken.push_back(box);
    }
}

void ContentDrawing::wrapLegend(int width) {
    const QFontMetricsF metrics(style_.font);
    std::vector<double> widths;
    for (int i = 0; i < legend_->itemCount(); ++i)
        if (auto* item = qobject_cast<QCPPlottableLegendItem*>(legend_->item(i)))
            widths.push_back(metrics.horizontalAdvance(item->plottable()->name()) + legend_->iconSize().width() +
                             legend_->iconTextPadding() + legend_->columnSpacing());
    // The most columns that fit; a column is as wide as its widest entry.
    int wrap = std::max(1, static_cast<int>(widths.size()));
    for (; wrap > 1; --wrap) {
        std::vector<double> columns(static_cast<size_t>(wrap), 0.0);
        for (size_t i = 0; i < widths.size(); ++i) columns[i % columns.size()] = std::max(columns[i % columns.size()], widths[i]);
        if (std::accumulate(columns.begin(), columns.end(), 0.0) <= width - style_.em()) break;
    }
    if (wrap == legend_->wrap()) return;
    legend_->setWrap(wrap);
    legend_->setFillOrder(QCPLayoutGrid::foColumnsFirst, true);
}

}  // namespace owq
