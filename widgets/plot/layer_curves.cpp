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
    QString last = parts.last();
    // The one name that stands twice in a block (GPT-2).
    if (last == QLatin1String("c_proj") && parts.size() > 1) last.prepend(parts[parts.size() - 2] + QLatin1Char('.'));
    return block == parts.end() || *block == last ? last : *block + QLatin1Char(' ') + last;
}

}  // namespace owq
