// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/plot_content.h"

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace owq {
namespace {

// Largest first, ties by lower index: the ranking that chooses weak columns (paper Eq. 6), so that the first k are the k weak ones.
struct Larger {
    const std::vector<float>& values;
    float key(int j) const {  // NaN compares with nothing: it would break the sort
        const float value = values[static_cast<size_t>(j)];
        return std::isnan(value) ? -std::numeric_limits<float>::infinity() : value;
    }
    bool operator()(int a, int b) const { return key(a) > key(b) || (key(a) == key(b) && a < b); }
};

std::vector<int> countingUp(size_t count) {
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    return order;
}

std::vector<int> descending(const std::vector<float>& values) {
    std::vector<int> order = countingUp(values.size());
    std::sort(order.begin(), order.end(), Larger{values});
    return order;
}

const std::vector<float>* influence(const LayerCurves& curves) {
    if (isKnown(curves, curves.sensitivity)) return &curves.sensitivity;
    return isKnown(curves, curves.hessianDiagonal) ? &curves.hessianDiagonal : nullptr;
}

template <typename Visit>
void forEachValue(const PlotContent& content, double xLower, double xUpper, Visit visit) {
    for (const PlotBlock& block : content.blocks) {
        const auto size = static_cast<double>(block.column.size());
        const auto first = static_cast<size_t>(std::clamp(std::ceil(xLower), 0.0, size));
        const auto last = static_cast<size_t>(std::clamp(std::floor(xUpper) + 1, 0.0, size));
        for (const auto& values : block.values)
            for (size_t i = first; i < last && i < values.size(); ++i) visit(values[i]);
    }
}

void setFloor(PlotContent& content) {
    double smallest = std::numeric_limits<double>::infinity(), largest = 0;
    const double all = content.length;
    forEachValue(content, 0, all, [&](double value) {
        if (!std::isfinite(value) || value <= 0) return;
        smallest = std::min(smallest, value);
        largest = std::max(largest, value);
    });
    content.logFloor = largest > 0 ? std::pow(10.0, std::floor(std::log10(std::max(smallest, largest * 1e-12)))) : 1.0;
    if (content.logFloor <= 0) content.logFloor = std::numeric_limits<float>::denorm_min();
    content.clamped = 0;
    forEachValue(content, 0, all, [&](double value) { content.clamped += std::isfinite(value) && value < content.logFloor; });
}

QString quoted(const QString& text, TableFormat format) {
    if (format == TableFormat::Tsv || !(text.contains(QLatin1Char(',')) || text.contains(QLatin1Char('"')))) return text;
    QString inner = text;
    return QLatin1Char('"') + inner.replace(QLatin1String("\""), QLatin1String("\"\"")) + QLatin1Char('"');
}

}  // namespace

double PlotContent::drawn(double value) const {
    if (!std::isfinite(value)) return std::numeric_limits<double>::quiet_NaN();
    return logY ? std::max(value, logFloor) : value;
}

ValueRange yRange(const PlotContent& content, double xLower, double xUpper) {
    double lower = std::numeric_limits<double>::infinity(), upper = -lower;
    forEachValue(content, xLower, xUpper, [&](double value) {
        const double y = content.drawn(value);
        if (std::isnan(y)) return;
        lower = std::min(lower, y);
        upper = std::max(upper, y);
    });
    if (lower > upper) return content.logY ? ValueRange{0.1, 10} : ValueRange{0, 1};
    if (content.logY) {
        if (upper <= lower) return {lower / 2, upper * 2};
        const double margin = std::pow(upper / lower, 0.06);
        return {lower / std::pow(upper / lower, 0.03), upper * margin * (content.labelOutliers ? margin : 1.0)};
    }
    if (content.kind == PlotKind::CumulativeError || content.kind == PlotKind::ErrorSaved) lower = std::min(lower, 0.0);
    if (upper <= lower) return {lower - 0.5, upper + 0.5};
    const double margin = (upper - lower) * 0.04;
    return {lower - (content.kind == PlotKind::CumulativeError ? 0 : margin), upper + margin};
}

void finishContent(PlotContent& content) {
    std::erase_if(content.blocks, [](const PlotBlock& block) {
        return std::all_of(block.values.begin(), block.values.end(), [](const auto& values) { return values.empty(); });
    });
    content.length = 0;
    for (const PlotBlock& block : content.blocks) content.length = std::max(content.length, static_cast<int>(block.column.size()));
    if (content.logY) setFloor(content);
    content.yAll = yRange(content, 0, content.length);
}

bool isKnown(const LayerCurves& curves, const std::vector<float>& vector) {
    return curves.columns > 0 && vector.size() == static_cast<size_t>(curves.columns);
}

QString whyNothing(std::span<const LayerCurvesPtr> curves, const QString& noneSelected, const QString& notAnalyzed) {
    if (curves.empty()) return noneSelected;
    const bool run = std::all_of(curves.begin(), curves.end(), [](const LayerCurvesPtr& c) { return c->measured; });
    return run ? QStringLiteral("This run has looked at weights alone. Under Showing, choose the unquantized model") : notAnalyzed;
}

std::vector<int> columnOrder(const LayerCurves& curves, XMode mode) {
    if (mode == XMode::HessianOrder && isKnown(curves, curves.hessianDiagonal)) return descending(curves.hessianDiagonal);
    if (mode == XMode::Rank)
        if (const auto* values = influence(curves)) {
            std::vector<int> order = descending(*values);
            std::reverse(order.begin(), order.end());
            return order;
        }
    return countingUp(static_cast<size_t>(std::max(curves.columns, 0)));
}

std::vector<PlotBlock> makeBlocks(std::span<const LayerCurvesPtr> all, XMode mode) {
    QStringList kinds;
    for (const LayerCurvesPtr& curves : all) kinds << curves->kind;
    const std::vector<SeriesLook> looks = seriesLooks(kinds);
    std::vector<PlotBlock> blocks;
    blocks.reserve(all.size());
    for (size_t i = 0; i < all.size(); ++i) {
        PlotBlock block;
        block.name = all[i]->name;
        block.shortName = shortName(all[i]->name);
        block.kind = all[i]->kind;
        if (!all[i]->run.isEmpty()) {
            block.name += QStringLiteral(" (%1)").arg(all[i]->run);
            block.shortName += QStringLiteral(" · ") + all[i]->run;
        }
        block.measured = all[i]->measured;
        block.planned = all[i]->planned;
        block.look = looks[i];
        block.column = columnOrder(*all[i], mode);
        std::vector<char> weak(block.column.size(), 0);
        for (const int column : all[i]->weakColumns)
            if (column >= 0 && static_cast<size_t>(column) < weak.size()) weak[static_cast<size_t>(column)] = 1;
        block.weak.reserve(weak.size());
        for (const int column : block.column) block.weak.push_back(weak[static_cast<size_t>(column)]);
        block.weakCount = static_cast<int>(std::count(weak.begin(), weak.end(), 1));
        blocks.push_back(std::move(block));
    }
    return blocks;
}

std::vector<double> inOrder(const std::vector<float>& values, const std::vector<int>& columns) {
    std::vector<double> ordered;
    ordered.reserve(columns.size());
    for (const int column : columns) ordered.push_back(static_cast<double>(values[static_cast<size_t>(column)]));
    return ordered;
}

QString xAxisTitle(XMode mode) {
    switch (mode) {
        case XMode::Rank: return QStringLiteral("Input channels, ascending by influence");
        case XMode::HessianOrder: return QStringLiteral("Input channels, descending by Hessian diagonal");
        case XMode::Index: break;
    }
    return QStringLiteral("Input channel");
}

std::vector<int> weakRanking(const LayerCurves& curves) {
    return isKnown(curves, curves.sensitivity) ? descending(curves.sensitivity) : std::vector<int>();
}

std::vector<int> mostSensitive(const LayerCurves& curves, int count) {
    if (!isKnown(curves, curves.sensitivity)) return {};
    std::vector<int> order = countingUp(curves.sensitivity.size());
    const auto kept = static_cast<size_t>(std::clamp(count, 0, curves.columns));
    std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(kept), order.end(), Larger{curves.sensitivity});
    order.resize(kept);
    return order;
}

std::optional<double> cutOf(const LayerCurves& curves, XMode mode) { return cutAt(curves, mode, static_cast<int>(curves.weakColumns.size())); }

std::optional<double> cutAt(const LayerCurves& curves, XMode mode, int weakColumns) {
    const auto weak = static_cast<size_t>(std::clamp(weakColumns, 0, std::max(curves.columns, 0)));
    if ((weak == 0 && !curves.planned) || !isKnown(curves, curves.sensitivity)) return std::nullopt;
    if (mode == XMode::Rank) return static_cast<double>(curves.columns) - static_cast<double>(weak) - 0.5;
    if (mode != XMode::Index || weak == curves.sensitivity.size()) return std::nullopt;
    std::vector<float> values = curves.sensitivity;
    if (weak == 0) {
        const double largest = *std::max_element(values.begin(), values.end());
        return largest > 0 ? std::optional(largest * 1.3) : std::nullopt;
    }
    const auto larger = [](float a, float c) { return c != c ? a == a : a > c; };  // NaN last
    std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(weak), values.end(), larger);
    const double inside = *std::min_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(weak));
    const double outside = values[weak];
    return inside > 0 && outside > 0 ? std::sqrt(inside * outside) : inside;
}

QStringList tableHeader(const PlotContent& content) {
    QStringList header{QStringLiteral("linear"), QStringLiteral("column"), QStringLiteral("position")};
    for (const PlotValue& value : content.values) header << value.id;
    return header << QStringLiteral("weak");
}

QString cellText(double value) {
    // Values were floats or sums of floats: nine digits bring a float back exactly, fewer are tried first for the reader's sake.
    if (!std::isfinite(value)) return {};
    return QString::number(value, 'g', QLocale::FloatingPointShortest).size() <= 12
               ? QString::number(value, 'g', QLocale::FloatingPointShortest)
               : QString::number(value, 'g', 9);
}

QString tableText(const PlotContent& content, TableFormat format, double xLower, double xUpper) {
    const QChar separator = format == TableFormat::Csv ? QLatin1Char(',') : QLatin1Char('\t');
    QString text = tableHeader(content).join(separator) + QLatin1Char('\n');
    for (const PlotBlock& block : content.blocks) {
        const auto size = static_cast<double>(block.column.size());
        const auto first = static_cast<size_t>(std::clamp(std::ceil(xLower), 0.0, size));
        const auto last = static_cast<size_t>(std::clamp(std::floor(xUpper) + 1, 0.0, size));
        const QString name = quoted(block.name, format) + separator;
        for (size_t i = first; i < last; ++i) {
            text += name + QString::number(block.column[i]) + separator + QString::number(i);
            for (size_t v = 0; v < content.values.size(); ++v)
                text += separator + (block.hasValue(v) ? cellText(block.values[v][i]) : QString());
            text += separator + QLatin1Char(block.weak[i] ? '1' : '0') + QLatin1Char('\n');
        }
    }
    return text;
}

QString tableText(const PlotContent& content, TableFormat format) { return tableText(content, format, 0, content.length); }

}  // namespace owq
