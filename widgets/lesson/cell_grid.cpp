// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/lesson/cell_grid.h"

#include <algorithm>

#include "widgets/plot/plot_content.h"

namespace owq {

QString readoutOf(const Cell& cell) {
    if (cell.look == CellLook::blank) return {};
    const QString number = std::isnan(cell.value) ? cell.text : cellText(cell.value);
    return cell.about.isEmpty() ? number : QStringLiteral("%1: %2").arg(cell.about, number);
}

QString cellsText(const CellGrid& grid, QChar separator) {
    const auto quoted = [separator](QString text) {
        if (!text.contains(separator) && !text.contains(QLatin1Char('"'))) return text;
        return QLatin1Char('"') + text.replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QLatin1Char('"');
    };
    QStringList line{quoted(grid.yTitle.isEmpty() ? QStringLiteral("row") : grid.yTitle)};
    for (const QString& name : grid.columnNames) line << quoted(name);
    QString text = line.join(separator) + QLatin1Char('\n');
    for (int r = 0; r < grid.rows(); ++r) {
        line = {quoted(grid.rowNames[r])};
        for (int c = 0; c < grid.columns(); ++c) {
            const Cell& cell = grid.at(r, c);
            line << (std::isnan(cell.value) ? QString() : cellText(cell.value));
        }
        text += line.join(separator) + QLatin1Char('\n');
    }
    return text;
}

CommonPower commonPower(const std::vector<double>& values) {
    double largest = 0;
    for (const double v : values)
        if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
    CommonPower result;
    if (largest > 0) result.power = int(std::floor(std::log10(largest)));
    if (result.power == 1) result.power = 0;  // short enough as they are
    return result;
}

QString CommonPower::unit() const {
    if (power == 0) return {};
    static const QString digits = QStringLiteral("⁰¹²³⁴⁵⁶⁷⁸⁹");
    QString exponent = power < 0 ? QStringLiteral("⁻") : QString();
    for (const QChar c : QString::number(std::abs(power))) exponent += digits[c.digitValue()];
    return QStringLiteral(" × 10%1").arg(exponent);
}

QString CommonPower::text(double value) const {
    QString number = QString::number(value * std::pow(10.0, -power), 'f', 2);
    if (number == QLatin1String("-0.00")) number = QStringLiteral("0.00");
    return number.replace(QLatin1Char('-'), QChar(0x2212));
}

}  // namespace owq
