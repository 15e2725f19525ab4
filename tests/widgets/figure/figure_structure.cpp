// SPDX-License-Identifier: Apache-2.0
#include "tests/widgets/figure/figure_structure.h"

#include <QRegularExpression>
#include <QTransform>
#include <QXmlStreamReader>
#include <algorithm>
#include <cmath>

#include "widgets/plot/palette.h"

namespace owq::testing {
namespace {

constexpr double kUnitsPerPoint = 20;  // of the renderer
constexpr double kExact = 0.1, kLoose = 3;  // pt
constexpr double kAxisShare = 0.3;     // of the page: an axis is longer, a tick shorter

using Attributes = QXmlStreamAttributes;

QString number(double value) {
    const double rounded = std::round(value * 100) / 100;
    return QString::number(rounded == 0 ? 0.0 : rounded);  // no -0
}

QString points(double units) { return number(units / kUnitsPerPoint); }

std::vector<double> numbersIn(const QString& text) {
    static const QRegularExpression pattern(QStringLiteral("[-+]?[0-9]*\\.?[0-9]+(?:[eE][-+]?[0-9]+)?"));
    std::vector<double> numbers;
    for (auto found = pattern.globalMatch(text); found.hasNext();) numbers.push_back(found.next().captured().toDouble());
    return numbers;
}

std::vector<QPointF> pairs(const QString& text) {
    const std::vector<double> numbers = numbersIn(text);
    std::vector<QPointF> points;
    for (size_t i = 0; i + 1 < numbers.size(); i += 2) points.emplace_back(numbers[i], numbers[i + 1]);
    return points;
}

QTransform transformOf(const QString& text) {
    const std::vector<double> m = numbersIn(text);
    return m.size() == 6 ? QTransform(m[0], m[1], m[2], m[3], m[4], m[5]) : QTransform();
}

double value(const Attributes& attributes, const char* name) { return attributes.value(QLatin1String(name)).toDouble(); }

std::vector<QPointF> outline(const QString& element, const Attributes& a) {
    if (element == QLatin1String("polyline") || element == QLatin1String("polygon")) return pairs(a.value(QLatin1String("points")).toString());
    if (element == QLatin1String("path")) return pairs(a.value(QLatin1String("d")).toString());
    if (element == QLatin1String("line")) return {{value(a, "x1"), value(a, "y1")}, {value(a, "x2"), value(a, "y2")}};
    const bool circle = element == QLatin1String("circle");
    if (circle || element == QLatin1String("ellipse")) {
        const QPointF centre(value(a, "cx"), value(a, "cy")), radius(value(a, circle ? "r" : "rx"), value(a, circle ? "r" : "ry"));
        return {centre - radius, centre + radius};
    }
    if (element == QLatin1String("rect")) {
        const QPointF corner(value(a, "x"), value(a, "y"));
        return {corner, corner + QPointF(value(a, "width"), value(a, "height"))};
    }
    return {};
}

QString strokeStyle(const Attributes& group, const Attributes& own) {
    const QString stroke = group.value(QLatin1String("stroke")).toString(), fill = group.value(QLatin1String("fill")).toString();
    QStringList style;
    if (stroke != QLatin1String("none")) {
        style << QStringLiteral("%1 %2 pt").arg(stroke, points(value(group, "stroke-width")));
        const QString opacity = group.value(QLatin1String("stroke-opacity")).toString();
        if (opacity != QLatin1String("1")) style << QStringLiteral("opacity ") + opacity;
        QStringList dash;
        for (const double length : numbersIn(group.value(QLatin1String("stroke-dasharray")).toString())) dash << points(length);
        if (!dash.isEmpty()) style << QStringLiteral("dash ") + dash.join(QLatin1Char('-'));
    }
    if (fill != QLatin1String("none") && own.value(QLatin1String("fill")) != QLatin1String("none")) style << QStringLiteral("fill ") + fill;
    return style.join(QStringLiteral(", "));
}

QString textStyle(const Attributes& own) {
    return QStringLiteral("%1 %2 pt %3").arg(own.value(QLatin1String("fill")).toString(), points(value(own, "font-size")), own.value(QLatin1String("font-weight")).toString());
}

QRectF boundsOf(const std::vector<QPointF>& points) {
    QRectF bounds;
    for (const QPointF& p : points) bounds = bounds.isNull() ? QRectF(p, QSizeF(1e-9, 1e-9)) : bounds.united(QRectF(p, QSizeF(1e-9, 1e-9)));
    return bounds;
}

QString placed(const QPointF& p) { return QStringLiteral("%1,%2").arg(number(p.x()), number(p.y())); }

/// The same place in a frame of another size.
QPointF moved(const QPointF& p, const QRectF& from, const QRectF& to) {
    return {to.x() + (p.x() - from.x()) / from.width() * to.width(), to.y() + (p.y() - from.y()) / from.height() * to.height()};
}

}  // namespace

FigureStructure structureOf(const QByteArray& svg) {
    FigureStructure figure;
    QXmlStreamReader xml(svg);
    Attributes group;
    QTransform transform;
    bool inText = false;  // of this group: letters of one string may come in several elements
    while (!xml.atEnd()) {
        if (xml.readNext() != QXmlStreamReader::StartElement) continue;
        const QString element = xml.name().toString();
        const Attributes own = xml.attributes();
        if (element == QLatin1String("g")) {
            group = own;
            transform = transformOf(own.value(QLatin1String("transform")).toString());
            inText = false;
        } else if (element == QLatin1String("text")) {
            const QString text = xml.readElementText();
            if (inText && figure.back().style == textStyle(own)) {
                figure.back().text += text;
                continue;
            }
            figure.push_back({textStyle(own), text, {transform.map(QPointF(value(own, "x"), value(own, "y"))) / kUnitsPerPoint}});
            inText = true;
        } else if (std::vector<QPointF> points = outline(element, own); !points.empty()) {
            inText = false;
            const QString style = strokeStyle(group, own);
            if (style.isEmpty()) continue;  // drawn with nothing
            for (QPointF& p : points) p = transform.map(p) / kUnitsPerPoint;
            figure.push_back({style, {}, std::move(points)});
        }
    }
    return figure;
}

QString toText(const FigureStructure& figure) {
    QString all;
    for (const FigureShape& shape : figure) {
        QStringList places;
        for (const QPointF& p : shape.points) places << placed(p);
        all += shape.style + (shape.text.isEmpty() ? QString() : QStringLiteral(" | \"%1\"").arg(shape.text)) + QStringLiteral(" | ") + places.join(QLatin1Char(' ')) +
               QLatin1Char('\n');
    }
    return all;
}

FigureStructure figureFromText(const QString& text) {
    FigureStructure figure;
    for (const QString& line : text.split(QLatin1Char('\n'), Qt::SkipEmptyParts)) {
        const QStringList parts = line.split(QStringLiteral(" | "));
        FigureShape shape{parts.first(), {}, pairs(parts.last())};
        if (parts.size() > 2) shape.text = parts[1].mid(1, parts[1].size() - 2);
        figure.push_back(std::move(shape));
    }
    return figure;
}

QRectF frameOf(const FigureStructure& figure) {
    QRectF page, frame;
    for (const FigureShape& shape : figure) page = page.united(boundsOf(shape.points));
    const QString axis = PlotTheme::paper().axis.name();
    for (const FigureShape& shape : figure) {
        const QRectF bounds = boundsOf(shape.points);
        const bool isLong = bounds.width() > kAxisShare * page.width() || bounds.height() > kAxisShare * page.height();
        if (shape.text.isEmpty() && isLong && shape.style.startsWith(axis) && !shape.style.contains(QLatin1String("fill"))) frame = frame.united(bounds);
    }
    return frame;
}

QStringList differences(const FigureStructure& expected, const FigureStructure& actual) {
    QStringList found;
    const QRectF from = frameOf(actual), to = frameOf(expected);
    const QPointF shifts[] = {from.topLeft() - to.topLeft(), from.bottomRight() - to.bottomRight()};
    for (const QPointF& shift : shifts)
        if (std::max(std::abs(shift.x()), std::abs(shift.y())) > kLoose) found << QStringLiteral("the axes have moved by %1").arg(placed(shift));
    if (to.isEmpty() || from.isEmpty()) return found << QStringLiteral("there are no axes");
    const QRectF inside = to.adjusted(-kExact, -kExact, kExact, kExact);
    for (size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
        if (i >= expected.size() || i >= actual.size()) {
            found << (i < actual.size() ? QStringLiteral("more: ") + toText({actual[i]}) : QStringLiteral("missing: ") + toText({expected[i]}));
            break;
        }
        const FigureShape &e = expected[i], &a = actual[i];
        const QString line = QStringLiteral("line %1: ").arg(i + 1);
        if (e.style != a.style) found << line + QStringLiteral("%1 instead of %2").arg(a.style, e.style);
        if (e.text != a.text) found << line + QStringLiteral("\"%1\" instead of \"%2\"").arg(a.text, e.text);
        if (e.points.size() != a.points.size()) {
            found << line + QStringLiteral("%1 points instead of %2").arg(a.points.size()).arg(e.points.size());
            continue;
        }
        for (size_t p = 0; p < e.points.size(); ++p) {
            const QPointF away = moved(a.points[p], from, to) - e.points[p];
            const double tolerance = e.text.isEmpty() && inside.contains(e.points[p]) ? kExact : kLoose;
            if (std::max(std::abs(away.x()), std::abs(away.y())) <= tolerance) continue;
            found << line + QStringLiteral("%1 instead of %2").arg(placed(a.points[p]), placed(e.points[p]));
            break;
        }
    }
    return found;
}

}  // namespace owq::testing
