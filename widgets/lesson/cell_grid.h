// SPDX-License-Identifier: GPL-3.0-or-later
// A matrix to look at: numbers in coloured cells, with names of rows and columns. The screen, the figure, the table twin and the CSV show
// the same one.
#pragma once
#include <QPainter>
#include <QString>
#include <QStringList>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "widgets/plot/content_drawing.h"

namespace owq {

enum class CellLook {
    blank,   // no cell
    plain,
    shaded, // shaded by sign and size
    heat,    // shaded from small (dark) to large (bright)
    done,    // rounded to the grid
    weak,    // kept in 16 bit
    bar,     // a bar as high as the shade says
    weakBar
};

struct Cell {
    double value = std::numeric_limits<double>::quiet_NaN();
    QString text;   // drawn; empty: nothing
    QString about;  // what the number is: "weight of row 12, channel 37"
    CellLook look = CellLook::blank;
    double shade = 0;     // −1…1 where signed, else 0…1
    bool framed = false;  // the one spoken of
};

struct CellGrid {
    QString title, name;  // of the figure, and of its file
    QString xTitle, yTitle;
    QStringList rowNames, columnNames;
    std::vector<Cell> cells;         // row-major
    std::vector<double> rowHeights;  // relative to each other; empty: equal
    int gapRow = -1, gapColumn = -1; // a little room before these
    int weakColumn = -1;             // its name is in the colour of weak columns
    QString heatLow, heatHigh;       // ends of the colour scale; empty: none is drawn

    CellGrid() = default;
    CellGrid(QStringList rows, QStringList columns)
        : rowNames(std::move(rows)), columnNames(std::move(columns)), cells(size_t(rowNames.size()) * size_t(columnNames.size())) {}
    int rows() const { return int(rowNames.size()); }
    int columns() const { return int(columnNames.size()); }
    Cell& at(int row, int column) { return cells[size_t(row) * size_t(columns()) + size_t(column)]; }
    const Cell& at(int row, int column) const { return cells[size_t(row) * size_t(columns()) + size_t(column)]; }
    bool has(int row, int column) const {
        return row >= 0 && column >= 0 && row < rows() && column < columns() && at(row, column).look != CellLook::blank;
    }
};

// "weight of row 12, channel 37: -0.01234567", with every digit of the number.
QString readoutOf(const Cell& cell);

// Names and numbers, separated as asked; rows end in \n.
QString cellsText(const CellGrid& grid, QChar separator);

// Where the cells of a grid lie in a rectangle.
class CellLayout {
public:
    CellLayout(const CellGrid& grid, const QRectF& area, const DrawStyle& style);
    QRectF cell(int row, int column) const;
    std::optional<QPoint> at(const QPointF& point) const;  // x: column, y: row
    QRectF inner() const { return inner_; }                // of all cells
    QRectF area() const { return area_; }
    double header() const { return header_; }              // height of the column names

private:
    const CellGrid& grid_;
    QRectF area_, inner_;
    double header_ = 0, gap_ = 0;
    std::vector<double> top_, height_;
    double width_ = 0;
};

// Draws the grid; `cursor` (x: column, y: row) gets a focus ring.
void paintCells(QPainter& painter, const QRectF& area, const CellGrid& grid, const DrawStyle& style, std::optional<QPoint> cursor = {});

// One power of ten for numbers that stand beside each other: the largest gets one digit before the point.
struct CommonPower {
    int power = 0;
    QString unit() const;              // " × 10⁻²", or "" for 0
    QString text(double value) const;  // "−1.23"
};
CommonPower commonPower(const std::vector<double>& values);

}  // namespace owq
