// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <vector>

#include "widgets/figure/figure_renderer.h"

namespace owq {

// One shape of linears at one width, as owq bench measured it.
struct SpeedRow {
    qint64 rows = 0, columns = 0, batch = 1, weakColumns = 0;
    int bits = 0;
    double seconds = 0, halfSeconds = 0;  // of one product; with fp16 weights
    double readShare = 0;                 // bytes a second over what the memory gives
};

// Bars: how many times as fast as with fp16 weights, grouped by shape and batch, one colour for each width, with the share of the memory's
// rate (`rate`: what that is) behind each. Rows without a time are left out; with none there is nothing to draw.
FigureSource speedFigure(const QString& model, std::vector<SpeedRow> rows, const QString& rate = QStringLiteral("read rate"));

}  // namespace owq
