// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QImage>
#include <QSize>

#include "widgets/plot/content_drawing.h"

class QPaintDevice;

namespace owq {

// Draws a whole PlotContent onto a vector device (PDF, SVG). Size and style are in the unit of the device.
bool paintVector(QPaintDevice* device, QSize size, const PlotContent& content, const DrawStyle& style);

// The same as pixels.
QImage paintImage(QSize size, const PlotContent& content, const DrawStyle& style);

}  // namespace owq
