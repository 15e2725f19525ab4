// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>

class QPushButton;

namespace owq {

/// The one button of a panel that a person most likely wants: filled, with its icon in the colour of its
/// text.
void makePrimary(QPushButton* button, const QString& icon);

}  // namespace owq
