// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/layer_curves.h"

#include <QStringList>
#include <algorithm>

namespace owq {

QString kindOf(const QString& name) { return name.section(QLatin1Char('.'), -1); }

QString shortName(const QString& name) {
    const QStringList parts = name.split(QLatin1Char('.'));
    const auto isNumber = [](const QString& part) {
        return !part.isEmpty() && std::all_of(part.begin(), part.end(), [](QChar c) { return c.isDigit(); });
    };
    const auto block = std::find_if(parts.begin(), parts.end(), isNumber);
    return block == parts.end() || *block == parts.last() ? parts.last() : *block + QLatin1Char(' ') + parts.last();
}

}  // namespace owq
