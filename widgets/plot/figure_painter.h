// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QSize>
#include <functional>
#include <memory>

#include "widgets/plot/content_drawing.h"

class QPaintDevice;

namespace owq {

// Paints one figure onto a device, once, on any thread. False when the device does not take it.
using FigurePainter = std::function<bool(QPaintDevice&)>;

// Of a whole PlotContent. Called on the GUI thread, where it takes no longer for long curves. Size and style are in the unit of the device;
// style.raster: pixels.
FigurePainter contentPainter(std::shared_ptr<const PlotContent> content, QSize size, const DrawStyle& style);

}  // namespace owq
