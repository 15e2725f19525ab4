// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QIcon>
#include <QString>

namespace owq {

/// ":/icons/<name>.svg" drawn in the text colour of the palette in use (its "currentColor"), sharp at any
/// size. `accent`: drawn in the highlight colour instead.
QIcon themedIcon(const QString& name, bool accent = false);

}  // namespace owq
