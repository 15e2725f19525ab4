// SPDX-License-Identifier: Apache-2.0
// What an SVG figure is made of: strokes, fills and texts with their places in points. Pictures of the same figure differ from machine to machine
// by how letters are drawn; this does not.
#pragma once
#include <QByteArray>
#include <QPointF>
#include <QRectF>
#include <QString>
#include <QStringList>
#include <vector>

namespace owq::testing {

struct FigureShape {
    QString style;                ///< stroke colour and width, dash, fill; of a text its colour, size and weight
    QString text;                 ///< empty: lines
    std::vector<QPointF> points;  ///< pt; of a text where it begins
    bool operator==(const FigureShape&) const = default;
};

using FigureStructure = std::vector<FigureShape>;

FigureStructure structureOf(const QByteArray& svg);

/// One line a shape: STYLE [| "TEXT"] | x,y x,y …
QString toText(const FigureStructure& figure);
FigureStructure figureFromText(const QString& text);

/// The rectangle of the axes.
QRectF frameOf(const FigureStructure& figure);

/// What differs, one line each. Inside the axes places count to 0.1 pt of the frame's own size; where texts begin, and how much room they leave to the
/// axes, depends on the version of the font and counts to 3 pt.
QStringList differences(const FigureStructure& expected, const FigureStructure& actual);

}  // namespace owq::testing
