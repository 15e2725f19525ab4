// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QColor>
#include <QPalette>
#include <QStringList>
#include <vector>

namespace owq {

// The colours of everything in a plot that is not a curve. On screen they follow the application's palette; figures are always light.
struct PlotTheme {
    QColor background, text, axis, grid;
    bool dark = false;

    static PlotTheme fromPalette(const QPalette& palette);
    static PlotTheme paper();  // black on white
};

enum class MarkerShape { Disc, Square, Diamond, TriangleUp, TriangleDown, Cross, Plus, Star };

// How one linear looks in every plot: a colour, and a second code (dash or marker) for eyes and printers that cannot tell colours apart.
struct SeriesLook {
    int color = 0;  // index into the Okabe-Ito colours, see seriesColor
    int dash = 0;   // 0: solid
    MarkerShape marker = MarkerShape::Disc;
};

// Okabe and Ito's colours (https://jfly.uni-koeln.de/color/), each slightly shifted where it would vanish on white or on dark grey.
// Vermillion is left out: it means "weak column" everywhere, see weakColor.
QColor seriesColor(int index, const PlotTheme& theme);
QColor weakColor(const PlotTheme& theme);
QList<qreal> dashPattern(int dash);  // in units of the pen width; empty: solid

// Looks for linears of these kinds drawn together. The first of a kind always has the kind's own colour; further ones of the same
// kind take a colour that no shown kind needs, then the kind's colour again with another dash and marker.
std::vector<SeriesLook> seriesLooks(const QStringList& kinds);

// The light or dark mixture of two colours: 0 gives `from`, 1 gives `to`.
QColor blend(const QColor& from, const QColor& to, double share);

}  // namespace owq
