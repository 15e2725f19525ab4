// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/common/format.h"

#include <QLocale>
#include <cmath>

namespace owq {

QString bytesText(double bytes) {
    const char* units[] = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (bytes >= 999.5 && unit < 4) bytes /= 1000, ++unit;
    return QStringLiteral("%1 %2")
        .arg(bytes, 0, 'f',
             unit == 0 || bytes >= 99.95 ? 0
             : bytes >= 9.995            ? 1
                                         : 2)
        .arg(QLatin1String(units[unit]));
}

QString durationText(double seconds) {
    if (!(seconds >= 0)) return {};
    if (seconds < 9.95) return QStringLiteral("%1 s").arg(seconds, 0, 'f', 1);
    const qint64 s = std::llround(seconds);
    if (s < 60) return QStringLiteral("%1 s").arg(s);
    if (s < 3600) return QStringLiteral("%1 min %2 s").arg(s / 60).arg(s % 60);
    return QStringLiteral("%1 h %2 min").arg(s / 3600).arg(s / 60 % 60, 2, 10, QLatin1Char('0'));
}

QString numberText(double value, int digits) {
    if (std::isnan(value)) return {};
    const double size = std::abs(value);
    // Where 'g' would switch to exponents by itself it would also drop zeros, and columns of numbers would not line up.
    if (size != 0 && (size < 1e-3 || size >= std::pow(10, digits) - 0.5)) return QString::number(value, 'e', digits - 1);
    return QString::number(value, 'g', digits);
}

QString countText(double count) {
    const char* units[] = {"", " k", " M", " B", " T"};
    int unit = 0;
    while (count >= 999.5 && unit < 4) count /= 1000, ++unit;
    return QString::number(count, 'f',
                           unit == 0        ? 0
                           : count >= 99.95 ? 0
                           : count >= 9.995 ? 1
                                            : 2) +
           QLatin1String(units[unit]);
}

}  // namespace owq
