// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QList>
#include <QPair>
#include <QStringList>
#include <optional>

namespace owq {

/// How a person looks at the layer tree, by names that do not change.
struct LayerLook {
    QString filter;
    bool regex = false;
    QStringList kinds;  ///< of the chips that are on; none: all
    QString sortedBy = QStringLiteral("name");
    bool descending = false;
    std::optional<QList<int>> expanded;  ///< blocks, counted in the order of the model; nothing: the usual ones
    QList<QPair<QString, int>> columns;  ///< widths, from left to right; 0: hidden, or what is left; empty: the usual ones
    bool operator==(const LayerLook&) const = default;
};

}  // namespace owq
