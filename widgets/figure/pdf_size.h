// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QByteArray>

namespace owq {

// Qt rounds a PDF page to whole points, up to 0.18 mm off. Gives the page its exact size: the media boxes are rewritten and the
// cross-reference table moved along. What is not the plain PDF that Qt writes comes back unchanged.
QByteArray withExactPageSize(QByteArray pdf, double widthPt, double heightPt);

}  // namespace owq
