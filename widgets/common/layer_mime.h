// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QMimeData>
#include <QStringList>

namespace owq {

/// Layers on their way from the tree to the plots: full names, one a line.
inline constexpr const char* kLayersType = "application/x-owq-layers";

inline QStringList layersOf(const QMimeData& data) {
    return QString::fromUtf8(data.data(QLatin1String(kLayersType))).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
}

}  // namespace owq
