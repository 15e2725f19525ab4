// SPDX-License-Identifier: GPL-3.0-or-later
#include <QFontMetricsF>
#include <algorithm>
#include <array>

#include "widgets/lesson/cell_grid.h"

namespace owq {
namespace {

constexpr int kLongHeader = 40;  // with so many columns, cells are drawn without borders and names are thinned out

QFontMetricsF metrics(const DrawStyle& style) { return QFontMetricsF(style.font); }

double widest(const QStringList& names, const QFontMetricsF& m) {
    double width = 0;
    for (const QString& name : names) width = std::max(width, m.horizontalAdvance(name));
    return width;
}

// From dark to bright, in steps of equal lightness.
QColor heatColor(double share) {
    static const std::array<QColor, 5> stops = {QColor(0x0c, 0x1f, 0x4a), QColor(0x00, 0x5f, 0x9e), QColor(0x1f, 0x95, 0x8b),
                                                QColor(0xb5, 0xb9, 0x3c), QColor(0xff, 0xf0, 0xa8)};
    const double place = std::clamp(share, 0.0, 1.0) * 4;
    const auto low = std::min<size_t>(3, size_t(place));
    return blend(stops[low], stops[low + 1], place - double(low));
}

QColor fillOf(const Cell& cell, const DrawStyle& style) {
    const PlotTheme& theme = style.theme;
    switch (cell.look) {
        case CellLook::shaded:
            return blend(theme.background, seriesColor(cell.shade < 0 ? 0 : 1, theme), 0.06 + 0.62 * std::min(1.0, std::abs(cell.shade)));
        case CellLook::heat: return heatColor(cell.shade);
        case CellLook::done: return blend(theme.background, seriesColor(2, theme), theme.dark ? 0.34 : 0.24);
        case CellLook::weak: return blend(theme.background, weakColor(theme), theme.dark ? 0.36 : 0.22);
        default: return theme.background;
    }
}

QColor inkOn(const QColor& fill) {
    const double light = 0.2126 * fill.redF() + 0.7152 * fill.greenF() + 0.0722 * fill.blueF();
    return light > 0.48 ? QColor(0x12, 0x16, 0x1e) : QColor(0xf2, 0xf4, 0xf7);
}

// The style's font, smaller where the widest number of the grid asks for it.
QFont numberFont(const CellGrid& grid, const CellLayout& layout, const DrawStyle& style) {
    double width = 0;
    for (const Cell& cell : grid.cells) width = std::max(width, metrics(style).horizontalAdvance(cell.text));
    QFont font = style.font;
    const double room = layout.cell(0, 0).width() - 0.5 * style.em();
    if (width > room && width > 0) font.setPixelSize(std::max(1, int(style.em() * std::max(0.55, room / width))));
    return font;
}

void paintBar(QPainter& painter, QRectF box, const Cell& cell, const DrawStyle& style) {
    const QColor color = cell.look == CellLook::weakBar ? weakColor(style.theme) : seriesColor(0, style.theme);
    const double text = cell.text.isEmpty() ? 0 : 1.3 * style.em();
    const QRectF room = box.adjusted(box.width() * 0.18, text, -box.width() * 0.18, 0);
    const double height = std::max(style.axis, room.height() * std::clamp(cell.shade, 0.0, 1.0));
    const QRectF bar(room.left(), room.bottom() - height, room.width(), height);
    painter.fillRect(bar, color);
    painter.setPen(QPen(style.theme.axis, style.axis));
    painter.drawLine(box.bottomLeft(), box.bottomRight());
    painter.setPen(style.theme.text);
    painter.drawText(QRectF(box.left(), bar.top() - text, box.width(), text), Qt::AlignHCenter | Qt::AlignBottom, cell.text);
}

void paintNames(QPainter& painter, const CellGrid& grid, const CellLayout& layout, const DrawStyle& style) {
    const QFontMetricsF m = metrics(style);
    const QColor faint = blend(style.theme.background, style.theme.text, 0.7);
    // Every name, or every second, fifth, tenth, …
    int every = 1;
    for (const int step : {1, 2, 5, 10, 20, 50, 100}) {
        if (grid.columns() < kLongHeader) break;
        every = step;
        if (widest(grid.columnNames, m) + 0.5 * style.em() <= layout.cell(0, 0).width() * step) break;
    }
    const double top = layout.inner().top() - 1.5 * m.height();
    for (int c = 0; c < grid.columns(); ++c) {
        if (every > 1 && c != 0 && (c + 1) % every != 0) continue;
        const QRectF cell = layout.cell(0, c);
        painter.setPen(c == grid.weakColumn ? weakColor(style.theme) : faint);
        painter.drawText(QRectF(cell.center().x() - 5 * style.em(), top, 10 * style.em(), 1.4 * m.height()), Qt::AlignCenter, grid.columnNames[c]);
    }
    painter.setPen(faint);
    if (!grid.xTitle.isEmpty())
        painter.drawText(QRectF(layout.inner().left(), top - 1.25 * m.height(), layout.inner().width(), 1.25 * m.height()),
                         Qt::AlignCenter, grid.xTitle);
    for (int r = 0; r < grid.rows(); ++r) {
        const QRectF cell = layout.cell(r, 0);
        painter.drawText(QRectF(layout.area().left(), cell.top(), cell.left() - layout.area().left() - 0.6 * style.em(), cell.height()),
                         Qt::AlignRight | Qt::AlignVCenter, grid.rowNames[r]);
    }
    if (!grid.yTitle.isEmpty()) {
        painter.save();
        painter.translate(layout.area().left(), layout.inner().bottom());
        painter.rotate(-90);
        painter.drawText(QRectF(0, 0, layout.inner().height(), 1.3 * m.height()), Qt::AlignCenter, grid.yTitle);
        painter.restore();
    }
}

void paintScale(QPainter& painter, const CellGrid& grid, const CellLayout& layout, const DrawStyle& style) {
    if (grid.heatLow.isEmpty()) return;
    const QRectF inner = layout.inner();
    const QRectF bar(inner.right() + 1.2 * style.em(), inner.top(), style.em(), inner.height());
    constexpr int kSteps = 64;
    painter.setRenderHint(QPainter::Antialiasing, false);  // no seams between the steps
    for (int i = 0; i < kSteps; ++i)
        painter.fillRect(QRectF(bar.left(), bar.bottom() - bar.height() * (i + 1) / kSteps, bar.width(), bar.height() / kSteps + style.axis),
                         heatColor(double(i) / (kSteps - 1)));
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(blend(style.theme.background, style.theme.text, 0.7));
    const double height = 1.4 * style.em();
    const QRectF text(bar.right() + 0.5 * style.em(), bar.top(), layout.area().right() - bar.right() - 0.5 * style.em(), height);
    painter.drawText(text, Qt::AlignLeft | Qt::AlignTop, grid.heatHigh);
    painter.drawText(text.translated(0, bar.height() - height), Qt::AlignLeft | Qt::AlignBottom, grid.heatLow);
}

}  // namespace

CellLayout::CellLayout(const CellGrid& grid, const QRectF& area, const DrawStyle& style) : grid_(grid), area_(area) {
    const QFontMetricsF m = metrics(style);
    const double em = style.em();
    header_ = m.height() * (grid.xTitle.isEmpty() ? 1.6 : 2.85);
    gap_ = 0.6 * em;
    double left = widest(grid.rowNames, m) + 0.9 * em;
    if (!grid.yTitle.isEmpty()) left += 1.5 * m.height();
    double right = 0.3 * em;
    if (!grid.heatLow.isEmpty()) right += 3 * em + std::max(m.horizontalAdvance(grid.heatLow), m.horizontalAdvance(grid.heatHigh));
    inner_ = area.adjusted(left, header_, -right, -0.3 * em);
    const double gapsDown = grid.gapRow > 0 ? gap_ : 0, gapsAcross = grid.gapColumn > 0 ? gap_ : 0;
    width_ = (inner_.width() - gapsAcross) / std::max(1, grid.columns());
    double total = 0;
    for (int r = 0; r < grid.rows(); ++r) total += grid.rowHeights.empty() ? 1 : grid.rowHeights[size_t(r)];
    double top = inner_.top();
    for (int r = 0; r < grid.rows(); ++r) {
        if (r == grid.gapRow) top += gap_;
        const double share = grid.rowHeights.empty() ? 1 : grid.rowHeights[size_t(r)];
        height_.push_back((inner_.height() - gapsDown) * share / std::max(total, 1e-9));
        top_.push_back(top);
        top += height_.back();
    }
}

QRectF CellLayout::cell(int row, int column) const {
    if (size_t(row) >= top_.size()) return {};
    const double shift = grid_.gapColumn > 0 && column >= grid_.gapColumn ? gap_ : 0;
    return {inner_.left() + shift + width_ * column, top_[size_t(row)], width_, height_[size_t(row)]};
}

std::optional<QPoint> CellLayout::at(const QPointF& point) const {
    for (int r = 0; r < grid_.rows(); ++r)
        for (int c = 0; c < grid_.columns(); ++c)
            if (grid_.has(r, c) && cell(r, c).contains(point)) return QPoint(c, r);
    return {};
}

void paintCells(QPainter& painter, const QRectF& area, const CellGrid& grid, const DrawStyle& style, std::optional<QPoint> cursor) {
    if (grid.cells.empty()) return;
    const CellLayout layout(grid, area, style);
    const bool fine = grid.columns() >= kLongHeader;
    painter.setFont(style.font);
    paintNames(painter, grid, layout, style);
    paintScale(painter, grid, layout, style);
    const QFont numbers = numberFont(grid, layout, style);
    const double seam = fine ? 0 : std::max(style.axis, 0.08 * style.em());
    for (int r = 0; r < grid.rows(); ++r)
        for (int c = 0; c < grid.columns(); ++c) {
            const Cell& cell = grid.at(r, c);
            if (cell.look == CellLook::blank) continue;
            const QRectF box = layout.cell(r, c).adjusted(seam, seam, -seam, -seam);
            painter.setFont(numbers);
            if (cell.look == CellLook::bar || cell.look == CellLook::weakBar) {
                paintBar(painter, box, cell, style);
                continue;
            }
            const QColor fill = fillOf(cell, style);
            painter.setRenderHint(QPainter::Antialiasing, !fine);
            painter.fillRect(box, fill);
            painter.setRenderHint(QPainter::Antialiasing, true);
            if (cell.look == CellLook::plain) {
                painter.setPen(QPen(style.theme.grid, style.axis));
                painter.setBrush(Qt::NoBrush);
                painter.drawRect(box);
            }
            painter.setPen(inkOn(fill));
            painter.drawText(box, Qt::AlignCenter, cell.text);
        }
    const auto ring = [&](const QRectF& box, const QColor& color, double width) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(color, width, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
        painter.drawRect(box);
    };
    for (int r = 0; r < grid.rows(); ++r)
        for (int c = 0; c < grid.columns(); ++c)
            if (grid.at(r, c).framed) {
                const QRectF box = layout.cell(r, c);
                if (fine) ring(box.adjusted(-2 * style.axis, -2 * style.axis, 2 * style.axis, 2 * style.axis), Qt::white, 2 * style.axis);
                ring(box, weakColor(style.theme), 2 * style.axis);
            }
    if (cursor && grid.has(cursor->y(), cursor->x())) {
        const QRectF box = layout.cell(cursor->y(), cursor->x());
        if (fine) ring(box.adjusted(-1, -1, 1, 1), Qt::white, 3 * style.axis);
        ring(box, style.theme.text, 1.5 * style.axis);
    }
}

}  // namespace owq
