// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/lesson/cell_pane.h"

#include <QAccessible>
#include <QAction>
#include <QBoxLayout>
#include <QClipboard>
#include <QFontInfo>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QStackedWidget>
#include <QTableView>
#include <algorithm>

#include "widgets/common/tsv.h"

namespace owq {

void CellTableModel::setGrid(const CellGrid& grid) {
    beginResetModel();
    grid_ = grid;
    endResetModel();
}

int CellTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : grid_.rows(); }

int CellTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() || grid_.rows() == 0 ? 0 : grid_.columns(); }

QVariant CellTableModel::data(const QModelIndex& index, int role) const {
    if (!grid_.has(index.row(), index.column())) return {};
    const Cell& cell = grid_.at(index.row(), index.column());
    if (role == Qt::DisplayRole) return std::isnan(cell.value) ? cell.text : cellText(cell.value);
    if (role == Qt::ToolTipRole || role == Qt::AccessibleTextRole) return readoutOf(cell);
    if (role == Qt::TextAlignmentRole) return int(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

QVariant CellTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole) return {};
    return (orientation == Qt::Horizontal ? grid_.columnNames : grid_.rowNames).value(section);
}

CellCanvas::CellCanvas(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void CellCanvas::setGrid(const CellGrid& grid) {
    grid_ = grid;
    const int lines = grid.rows() + 3;
    setMinimumSize(260, std::min(lines, 12) * fontMetrics().height() * 3 / 2);
    setAccessibleName(grid.title);
    if (!grid_.has(cursor_.y(), cursor_.x())) {
        cursor_ = {-1, -1};
        for (int r = 0; r < grid_.rows() && cursor_.x() < 0; ++r)
            for (int c = 0; c < grid_.columns(); ++c)
                if (grid_.at(r, c).framed) {
                    cursor_ = {c, r};
                    break;
                }
        if (cursor_.x() < 0 && grid_.has(0, 0)) cursor_ = {0, 0};
    }
    if (grid_.has(cursor_.y(), cursor_.x())) tell(grid_.at(cursor_.y(), cursor_.x()));
    update();
}

DrawStyle CellCanvas::drawStyle() const {
    DrawStyle style;
    style.theme = PlotTheme::fromPalette(palette());
    style.font = font();
    style.font.setPixelSize(std::max(1, QFontInfo(font()).pixelSize()));
    return style;
}

void CellCanvas::tell(const Cell& cell) {
    const QString text = readoutOf(cell);
    setAccessibleDescription(text);
    QAccessibleEvent event(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&event);
    Q_EMIT looked(text);
}

void CellCanvas::setCursorCell(QPoint cell) {
    if (!grid_.has(cell.y(), cell.x())) return;
    const bool moved = cell != cursor_;
    cursor_ = cell;
    tell(grid_.at(cell.y(), cell.x()));
    update();
    if (moved) Q_EMIT cursorMoved(cell.y(), cell.x());
}

QPointF CellCanvas::centreOf(int row, int column) const { return CellLayout(grid_, rect(), drawStyle()).cell(row, column).center(); }

void CellCanvas::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    painter.fillRect(rect(), palette().color(QPalette::Base));
    paintCells(painter, rect(), grid_, drawStyle(), hasFocus() ? std::optional(cursor_) : std::nullopt);
}

void CellCanvas::mouseMoveEvent(QMouseEvent* event) {
    const auto cell = CellLayout(grid_, rect(), drawStyle()).at(event->position());
    setCursor(cell ? Qt::PointingHandCursor : Qt::ArrowCursor);
    if (cell) tell(grid_.at(cell->y(), cell->x()));
}

void CellCanvas::mousePressEvent(QMouseEvent* event) {
    if (const auto cell = CellLayout(grid_, rect(), drawStyle()).at(event->position())) setCursorCell(*cell);
}

void CellCanvas::leaveEvent(QEvent*) {
    if (grid_.has(cursor_.y(), cursor_.x())) tell(grid_.at(cursor_.y(), cursor_.x()));
}

void CellCanvas::keyPressEvent(QKeyEvent* event) {
    if (event->modifiers() & ~(Qt::KeypadModifier | Qt::ShiftModifier)) return QWidget::keyPressEvent(event);
    const int step = event->modifiers() & Qt::ShiftModifier ? 10 : 1;
    switch (event->key()) {
        case Qt::Key_Left: return walk(0, -step);
        case Qt::Key_Right: return walk(0, step);
        case Qt::Key_Up: return walk(-step, 0);
        case Qt::Key_Down: return walk(step, 0);
        case Qt::Key_Home: return walk(0, -grid_.columns());
        case Qt::Key_End: return walk(0, grid_.columns());
        default: QWidget::keyPressEvent(event);
    }
}

void CellCanvas::walk(int down, int across) {
    const auto within = [](int at, int by, int count) { return std::clamp(at + by, 0, count - 1); };
    QPoint to(within(cursor_.x(), across, grid_.columns()), within(cursor_.y(), down, grid_.rows()));
    // Over holes to the next cell in this direction, else stay.
    const QPoint on(across > 0 ? 1 : across < 0 ? -1 : 0, down > 0 ? 1 : down < 0 ? -1 : 0);
    QPoint back = to;
    while (!grid_.has(to.y(), to.x()) && QRect(0, 0, grid_.columns(), grid_.rows()).contains(to)) to += on;
    while (!grid_.has(to.y(), to.x()) && back != cursor_ && QRect(0, 0, grid_.columns(), grid_.rows()).contains(back)) {
        back -= on;
        to = back;
    }
    setCursorCell(to);
}

void CellCanvas::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    update();
}

void CellCanvas::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    update();
}

CellPane::CellPane(QWidget* parent)
    : QWidget(parent), canvas_(new CellCanvas), model_(new CellTableModel(this)), table_(new QTableView), pages_(new QStackedWidget),
      title_(new QLabel), readout_(new QLabel) {
    title_->setWordWrap(true);
    QFont bold = title_->font();
    bold.setWeight(QFont::DemiBold);
    title_->setFont(bold);
    readout_->setObjectName(QStringLiteral("cellReadout"));
    readout_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    readout_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    table_->setModel(model_);
    table_->horizontalHeader()->setDefaultSectionSize(fontMetrics().horizontalAdvance(QStringLiteral("-0.0123456789")));
    installCopy(table_);
    pages_->addWidget(canvas_);
    pages_->addWidget(table_);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addWidget(title_);
    layout->addWidget(pages_, 1);
    layout->addWidget(readout_);
    connect(canvas_, &CellCanvas::looked, readout_, &QLabel::setText);
    connect(addOwnAction(tr("&Copy numbers"), tr("Copy all numbers, tab-separated with their names"), QKeySequence::Copy), &QAction::triggered, this,
            [this] { QGuiApplication::clipboard()->setText(cellsText(canvas_->grid(), QLatin1Char('\t'))); });
    connect(addOwnAction(tr("&Export figure…"), tr("Write this picture as PDF, SVG or PNG"), QKeySequence(Qt::CTRL | Qt::Key_G)), &QAction::triggered,
            this, &CellPane::figureRequested);
    tableAction_ = addOwnAction(tr("Show as &table"), tr("The same numbers as a table"), QKeySequence(Qt::CTRL | Qt::Key_T));
    tableAction_->setCheckable(true);
    table_->addAction(tableAction_);
    connect(tableAction_, &QAction::toggled, this, &CellPane::setTableShown);
    canvas_->setContextMenuPolicy(Qt::ActionsContextMenu);
    setFocusProxy(canvas_);
}

QAction* CellPane::addOwnAction(const QString& text, const QString& tip, const QKeySequence& key) {
    auto* action = new QAction(text, this);
    action->setToolTip(tip);
    action->setShortcut(key);
    action->setShortcutContext(Qt::WidgetShortcut);
    canvas_->addAction(action);
    return action;
}

void CellPane::setGrid(const CellGrid& grid) {
    title_->setText(grid.title);
    title_->setVisible(!grid.title.isEmpty());
    canvas_->setGrid(grid);
    model_->setGrid(grid);
    table_->setAccessibleName(grid.title);
}

QString CellPane::readout() const { return readout_->text(); }

void CellPane::setTableShown(bool shown) {
    const bool focused = canvas_->hasFocus() || table_->hasFocus();
    tableAction_->setChecked(shown);
    pages_->setCurrentIndex(shown ? 1 : 0);
    if (focused) pages_->currentWidget()->setFocus();
}

FigureSource CellPane::figure() const {
    const CellGrid& grid = canvas_->grid();
    return paintedFigure(
        grid.name, grid.title,
        [grid](QPainter& painter, const QRectF& area, const DrawStyle& style) {
            // On paper the title stands above, because nothing else says what this is.
            painter.setFont(style.font);
            const double title = 1.7 * QFontMetricsF(style.font).height(), margin = 0.4 * style.em();
            painter.setPen(style.theme.text);
            painter.drawText(area.adjusted(margin, 0, -margin, 0), int(Qt::AlignTop | Qt::AlignLeft) | int(Qt::TextWordWrap), grid.title);
            paintCells(painter, area.adjusted(margin, title, -margin, -margin), grid, style);
        },
        [grid] { return cellsText(grid, QLatin1Char(',')); });
}

}  // namespace owq
