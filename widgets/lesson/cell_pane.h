// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAbstractTableModel>
#include <QPoint>
#include <QWidget>
#include <optional>

#include "widgets/figure/figure_renderer.h"
#include "widgets/lesson/cell_grid.h"

class QAction;
class QLabel;
class QStackedWidget;
class QTableView;

namespace owq {

// The numbers of a grid for a table view.
class CellTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;
    void setGrid(const CellGrid& grid);
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    CellGrid grid_;
};

// The drawn cells. The mouse looks at a cell, a click or the arrow keys choose one.
class CellCanvas : public QWidget {
    Q_OBJECT
public:
    explicit CellCanvas(QWidget* parent = nullptr);
    void setGrid(const CellGrid& grid);  // the cursor stays where it was, if there is a cell
    const CellGrid& grid() const { return grid_; }
    QPoint cursor() const { return cursor_; }  // x: column, y: row; (-1, -1): none
    void setCursorCell(QPoint cell);
    QPointF centreOf(int row, int column) const;
    DrawStyle drawStyle() const;

Q_SIGNALS:
    void cursorMoved(int row, int column);
    void looked(const QString& readout);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    void walk(int down, int across);
    void tell(const Cell& cell);
    CellGrid grid_;
    QPoint cursor_{-1, -1};
};

// A grid with its heading, the number under mouse or cursor, and its table twin. Ctrl+T shows the table, Ctrl+C copies the numbers,
// Ctrl+G asks for a figure.
class CellPane : public QWidget {
    Q_OBJECT
public:
    explicit CellPane(QWidget* parent = nullptr);
    void setGrid(const CellGrid& grid);
    CellCanvas& canvas() { return *canvas_; }
    QString readout() const;
    void setTableShown(bool shown);
    FigureSource figure() const;

Q_SIGNALS:
    void figureRequested();

private:
    QAction* addOwnAction(const QString& text, const QString& tip, const QKeySequence& key);
    CellCanvas* canvas_;
    CellTableModel* model_;
    QTableView* table_;
    QStackedWidget* pages_;
    QLabel *title_, *readout_;
    QAction* tableAction_ = nullptr;
};

}  // namespace owq
