// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/plot.h"

#include <QAction>
#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QStackedWidget>
#include <QTableView>
#include <QThreadPool>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <utility>

#include "widgets/common/elided_label.h"
#include "widgets/common/in_background.h"
#include "widgets/plot/content_drawing.h"
#include "widgets/plot/plot_canvas.h"
#include "widgets/plot/plot_marks.h"

namespace owq {
namespace {

constexpr int kMergeMs = 600;       // zooms closer together in time are one step of the history
constexpr double kSmallestWidth = 4;  // columns
constexpr qint64 kAtOnce = 150'000;   // columns; more are sorted and laid out on another thread

QString sourceNote(const PlotContent& content) {
    const auto measured = std::count_if(content.blocks.begin(), content.blocks.end(), [](const PlotBlock& b) { return b.measured; });
    if (content.empty()) return {};
    if (measured == static_cast<ptrdiff_t>(content.blocks.size())) {
        const bool planned = std::any_of(content.blocks.begin(), content.blocks.end(), [](const PlotBlock& b) { return b.planned && b.cut; });
        return planned ? QStringLiteral("as run, cut as planned") : QStringLiteral("as run");
    }
    return measured == 0 ? QStringLiteral("unquantized model") : QStringLiteral("partly the unquantized model");
}

}  // namespace

Plot::Plot(PlotKind kind, QWidget* parent) : QWidget(parent), kind_(kind) {
    setFocusPolicy(Qt::StrongFocus);
    title_ = new QLabel(this);
    QFont bold = font();
    bold.setBold(true);
    title_->setFont(bold);
    note_ = new ElidedLabel(this);
    note_->setForegroundRole(QPalette::PlaceholderText);
    readoutLabel_ = new QLabel(this);
    readoutLabel_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    readoutLabel_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    readoutLabel_->setTextFormat(Qt::PlainText);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 4, 8, 2);
    header->setSpacing(8);
    header->addWidget(title_);
    header->addWidget(note_);
    header->addWidget(readoutLabel_, 1);

    pages_ = new QStackedWidget(this);
    canvas_ = new PlotCanvas;
    empty_ = new QLabel;
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setWordWrap(true);
    empty_->setMargin(24);
    empty_->setAutoFillBackground(true);
    empty_->setBackgroundRole(QPalette::Base);
    empty_->setForegroundRole(QPalette::PlaceholderText);
    pages_->addWidget(empty_);
    pages_->addWidget(canvas_);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(header);
    layout->addWidget(pages_, 1);
    setMinimumSize(220, 150);

    drawing_ = new ContentDrawing(canvas_);
    marks_ = std::make_unique<PlotMarks>(canvas_);
    makeActions();
    connectCanvas();
}

Plot::~Plot() = default;

void Plot::connectCanvas() {
    connect(canvas_, &PlotCanvas::hovered, this, &Plot::hover);
    connect(canvas_, &PlotCanvas::left, this, [this] { setCrosshair(-1); });
    connect(canvas_, &PlotCanvas::clicked, this, &Plot::click);
    connect(canvas_, &PlotCanvas::rectangleChosen, this, [this](QRectF pixels, PlotCanvas::Direction direction) {
        PlotView next = view();
        if (direction != PlotCanvas::Direction::Y) {
            next.xLower = canvas_->xAxis->pixelToCoord(pixels.left());
            next.xUpper = canvas_->xAxis->pixelToCoord(pixels.right());
        }
        if (direction != PlotCanvas::Direction::X) {
            next.yLower = canvas_->yAxis->pixelToCoord(pixels.bottom());
            next.yUpper = canvas_->yAxis->pixelToCoord(pixels.top());
        }
        zoomTo(next);
    });
    connect(canvas_, &PlotCanvas::wheelZoomed, this, [this](QPointF at, double factor, PlotCanvas::Direction direction) {
        if (direction == PlotCanvas::Direction::X) return zoomAround(canvas_->xAxis->pixelToCoord(at.x()), factor);
        // In pixels, so that it is right on both kinds of axis.
        const QRectF area(canvas_->axisRect()->rect());
        PlotView next = view();
        next.yLower = canvas_->yAxis->pixelToCoord(at.y() + (area.bottom() - at.y()) * factor);
        next.yUpper = canvas_->yAxis->pixelToCoord(at.y() + (area.top() - at.y()) * factor);
        zoomTo(next, Step::Merge);
    });
    connect(canvas_, &PlotCanvas::panned, this, [this](QPointF delta, bool first) {
        PlotView next = view();
        const double shift = canvas_->xAxis->pixelToCoord(0) - canvas_->xAxis->pixelToCoord(delta.x());
        next.xLower += shift;
        next.xUpper += shift;
        zoomTo(next, first ? Step::Zoom : Step::Merge);
    });
    connect(canvas_, &PlotCanvas::handleDragged, this, &Plot::dragCut);
    canvas_->grabs = [this](QPointF pixel) -> std::optional<Qt::CursorShape> {
        const int block = cutBlockAt(pixel);
        if (!canvas_->isDragging()) cutBlock_ = block;
        if (block < 0) return {};
        return content_.xMode == XMode::Index ? Qt::SizeVerCursor : Qt::SizeHorCursor;
    };
}

void Plot::setCurves(std::vector<LayerCurvesPtr> curves) {
    std::erase(curves, nullptr);
    curves_ = std::move(curves);
    rebuild(true);
}

void Plot::setXMode(XMode mode) {
    if (mode == xMode_) return;
    xMode_ = mode;
    rebuild(false);
}

void Plot::rebuild(bool keepView) {
    keepView_ = keepView && (keepView_ || !isBuilding());
    const int build = ++build_;
    qint64 columns = 0;
    for (const LayerCurvesPtr& curves : curves_) columns += curves->columns;
    if (columns <= kAtOnce) return install(contentMaker()(curves_, xMode_));
    updateNote();
    inBackground(
        this, [make = contentMaker(), curves = curves_, mode = xMode_] { return make(curves, mode); },
        [this, build](PlotContent content) {
            if (build == build_) install(std::move(content));  // else the selection has changed meanwhile
        });
}

void Plot::updateNote() {
    note_->setText(isBuilding()      ? tr("laying out %n curves…", nullptr, static_cast<int>(curves_.size()))
                   : gathering_ > 0 ? tr("gathering the data…")
                                    : sourceNote(content_));
    note_->setToolTip(note_->text());
}

void Plot::install(PlotContent content) {
    installed_ = build_;
    if (!content_.empty()) kept_ = {view(), home(), content_.length, content_.yTitle, layers_};
    layers_.clear();
    for (const LayerCurvesPtr& curves : curves_) layers_.insert(curves->name);
    table_.setContent(nullptr);
    std::swap(content_, content);
    if (content.blocks.size() > 1)  // freeing hundreds of curves takes a while, too
        QThreadPool::globalInstance()->start([former = std::make_shared<PlotContent>(std::move(content))] {});
    table_.setContent(&content_);
    block_ = std::min(block_, content_.blocks.empty() ? 0 : content_.blocks.size() - 1);
    title_->setText(content_.title);
    updateNote();
    empty_->setText(content_.emptyText);
    setAccessibleName(content_.title);
    setAccessibleDescription(content_.empty() ? content_.emptyText
                                              : QStringLiteral("%1 over %2, %3 linears. Ctrl+T shows the numbers as a table.")
                                                    .arg(content_.yTitle, content_.xTitle)
                                                    .arg(content_.blocks.size()));
    keepZoom();
    pages_->setCurrentWidget(content_.empty() ? static_cast<QWidget*>(empty_) : tableAction_->isChecked() ? static_cast<QWidget*>(tableView_) : canvas_);
    updateMarks(false);
    showSelectedRow();
    Q_EMIT contentChanged();
}

// A range that nobody changed follows the values.
void Plot::keepZoom() {
    PlotView next = home();
    const bool waiting = content_.empty() && !curves_.empty();
    if (!keepView_ || (!waiting && kept_ && kept_->length != content_.length)) kept_.reset();
    if (kept_ && !waiting) {
        next.xLower = kept_->view.xLower;
        next.xUpper = kept_->view.xUpper;
        const bool zoomed = kept_->view.yLower != kept_->home.yLower || kept_->view.yUpper != kept_->home.yUpper;
        if (zoomed && kept_->layers == layers_ && kept_->yTitle == content_.yTitle) {
            next.yLower = kept_->view.yLower;
            next.yUpper = kept_->view.yUpper;
        }
    }
    if (!kept_) history_.clear();
    if (!kept_ || waiting) pinned_ = -1;
    if (crosshair_ >= content_.length) crosshair_ = -1;
    restyle(next);
}

void Plot::restyle(const PlotView& view) {
    const DrawStyle style = DrawStyle::onScreen(*this);
    drawing_->show(content_, style, view);
    drawing_->wrapLegend(canvas_->width());
    marks_->setColors(style.theme, palette().color(QPalette::Highlight));
    canvas_->setRubberBandColor(palette().color(QPalette::Highlight));
    replotLater();
}

void Plot::replotLater() { canvas_->replot(QCustomPlot::rpQueuedReplot); }

void Plot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    const auto type = event->type();
    if (type != QEvent::PaletteChange && type != QEvent::ApplicationPaletteChange && type != QEvent::FontChange && type != QEvent::StyleChange)
        return;
    QFont bold = font();
    bold.setBold(true);
    title_->setFont(bold);
    restyle(view());
    updateMarks(false);
}

void Plot::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    drawing_->wrapLegend(width());
}

PlotView Plot::view() const {
    const QCPRange x = canvas_->xAxis->range(), y = canvas_->yAxis->range();
    return {x.lower, x.upper, y.lower, y.upper};
}

PlotView Plot::home() const {
    return {ContentDrawing::xLower(content_), ContentDrawing::xUpper(content_), content_.yAll.lower, content_.yAll.upper};
}

PlotView Plot::clamped(PlotView view) const {
    const PlotView all = home();
    const double width = std::clamp(view.xUpper - view.xLower, std::min(kSmallestWidth, all.xUpper - all.xLower), all.xUpper - all.xLower);
    const double middle = (view.xLower + view.xUpper) / 2;
    view.xLower = std::clamp(middle - width / 2, all.xLower, all.xUpper - width);
    view.xUpper = view.xLower + width;
    if (content_.logY) view.yLower = std::max(view.yLower, content_.logFloor / 1e3);
    if (!(view.yUpper > view.yLower)) {
        view.yLower = all.yLower;
        view.yUpper = all.yUpper;
    }
    return view;
}

void Plot::setView(const PlotView& view) {
    drawing_->setView(view);
    replotLater();
}

void Plot::zoomTo(const PlotView& asked, Step step) {
    if (content_.empty()) return;
    const PlotView next = clamped(asked);
    if (step == Step::Merge && (history_.empty() || !lastZoom_.isValid() || lastZoom_.elapsed() > kMergeMs)) step = Step::Zoom;
    lastZoom_.restart();
    if (next == view()) return;
    if (step == Step::Zoom) history_.push(view());
    setView(next);
    Q_EMIT viewStepped(step, next.xLower, next.xUpper);
}

void Plot::zoomBack() {
    lastZoom_.invalidate();
    const auto before = history_.pop();
    if (before) setView(*before);
    const PlotView now = view();
    if (before) Q_EMIT viewStepped(Step::Back, now.xLower, now.xUpper);
}

void Plot::zoomHome() {
    lastZoom_.invalidate();
    if (content_.empty()) return;
    const PlotView all = home();
    if (all == view()) return;
    history_.push(view());
    setView(all);
    Q_EMIT viewStepped(Step::Home, all.xLower, all.xUpper);
}

void Plot::followStep(Step step, double xLower, double xUpper) {
    if (step == Step::Back) {
        if (const auto before = history_.pop()) setView(*before);
        return;
    }
    PlotView next = step == Step::Home ? home() : view();
    if (step != Step::Home) {
        next.xLower = xLower;
        next.xUpper = xUpper;
    }
    if (step != Step::Merge || history_.empty()) history_.push(view());
    setView(clamped(next));
}

void Plot::zoomAround(double x, double factor) {
    PlotView next = view();
    next.xLower = x + (next.xLower - x) * factor;
    next.xUpper = x + (next.xUpper - x) * factor;
    zoomTo(next, Step::Merge);
}

void Plot::pan(double share) {
    PlotView next = view();
    const double shift = (next.xUpper - next.xLower) * share;
    next.xLower += shift;
    next.xUpper += shift;
    zoomTo(next, Step::Merge);
}

void Plot::setSelectedColumn(int column, const QString& layer) {
    selectedLayer_ = layer;
    const bool moved = std::exchange(selectedColumn_, column) != column;
    if (moved) updateMarks();
    showSelectedRow();
}

void Plot::setCrosshair(int position) {
    position = content_.empty() || position < 0 ? -1 : std::min(position, content_.length - 1);
    if (position == crosshair_) return;
    crosshair_ = position;
    updateMarks();
    Q_EMIT crosshairMoved(crosshair_);
}

void Plot::pinReference() { setReference(crosshair_ == pinned_ ? -1 : crosshair_); }

void Plot::setReference(int position) {
    if (position >= content_.length) position = -1;
    if (position == pinned_) return;
    pinned_ = position;
    updateMarks();
    Q_EMIT referenceMoved(pinned_);
}

void Plot::updateMarks(bool paint) {
    marks_->show(content_, {crosshair_, pinned_, selectedColumn_, block_});
    if (paint) marks_->repaint();
    const QString text = readout();
    readoutLabel_->setToolTip(text);
    readoutLabel_->setText(readoutLabel_->fontMetrics().elidedText(text, Qt::ElideRight, std::max(0, readoutLabel_->width() - 2)));
}

QString Plot::readout() const {
    constexpr size_t kListed = 3;
    if (crosshair_ < 0 || content_.empty()) return {};
    const auto position = static_cast<size_t>(crosshair_);
    const auto number = [](double value) { return QString::number(value, 'g', 4); };
    QStringList parts;
    size_t listed = 0;
    for (size_t b = block_; b < content_.blocks.size() + block_ && listed < kListed; ++b, ++listed) {
        const PlotBlock& block = content_.blocks[b % content_.blocks.size()];
        if (listed == content_.blocks.size()) break;
        if (position >= block.column.size()) continue;
        QStringList values;
        for (size_t v = 0; v < block.values.size(); ++v) {
            if (!block.hasValue(v)) continue;
            const double value = block.values[v][position];
            const QString name = content_.values[v].legend;
            QString text = (name.isEmpty() ? QString() : name + QLatin1Char(' ')) + number(value);
            if (listed == 0 && pinned_ >= 0 && static_cast<size_t>(pinned_) < block.values[v].size()) {
                const double reference = block.values[v][static_cast<size_t>(pinned_)];
                text += content_.logY && reference > 0 ? QStringLiteral(" (×%1)").arg(number(value / reference))
                                                       : QStringLiteral(" (Δ %1)").arg(number(value - reference));
            }
            values << text;
        }
        QString name = content_.blocks.size() > 1 ? block.shortName + QLatin1Char(' ') : QString();
        if (listed == 0 || content_.xMode != XMode::Index) name += QStringLiteral("column %1: ").arg(block.column[position]);
        parts << name + values.join(QStringLiteral(", ")) + (block.weak[position] ? QStringLiteral(" weak") : QString());
    }
    return parts.join(QStringLiteral("   "));
}

int Plot::nearestBlock(QPointF pixel) const {
    const int position = static_cast<int>(std::lround(canvas_->xAxis->pixelToCoord(pixel.x())));
    double best = std::numeric_limits<double>::infinity();
    int nearest = -1;
    for (size_t b = 0; b < content_.blocks.size(); ++b)
        for (const auto& values : content_.blocks[b].values) {
            if (position < 0 || static_cast<size_t>(position) >= values.size()) continue;
            const double y = content_.drawn(values[static_cast<size_t>(position)]);
            const double distance = std::abs(canvas_->yAxis->coordToPixel(y) - pixel.y());
            if (distance < best) best = distance, nearest = static_cast<int>(b);
        }
    return nearest;
}

void Plot::hover(QPointF pixel) {
    if (content_.empty() || !canvas_->axisRect()->rect().contains(pixel.toPoint())) return setCrosshair(-1);
    const double x = canvas_->xAxis->pixelToCoord(pixel.x());
    const int nearest = nearestBlock(pixel);
    if (nearest >= 0 && static_cast<size_t>(nearest) != block_) {
        block_ = static_cast<size_t>(nearest);
        updateMarks();
    }
    setCrosshair(std::max(0, static_cast<int>(std::lround(x))));
}

void Plot::click(QPointF pixel) {
    hover(pixel);
    selectAtCrosshair();
}

void Plot::selectAtCrosshair() {
    if (crosshair_ < 0 || block_ >= content_.blocks.size()) return;
    const PlotBlock& block = content_.blocks[block_];
    if (static_cast<size_t>(crosshair_) >= block.column.size()) return;
    const int column = block.column[static_cast<size_t>(crosshair_)];
    const QString layer = block.name;
    setSelectedColumn(column, layer);
    Q_EMIT columnSelected(layer, column);
}

void Plot::keyPressEvent(QKeyEvent* event) {
    const int step = event->modifiers() & Qt::ShiftModifier ? 10 : 1;
    const PlotView now = view();
    const int middle = static_cast<int>(std::lround((now.xLower + now.xUpper) / 2));
    const int from = crosshair_ >= 0 ? crosshair_ : middle;
    const auto moveTo = [&](int position) {
        setCrosshair(std::clamp(position, 0, std::max(0, content_.length - 1)));
        if (crosshair_ < now.xLower) pan((crosshair_ - now.xLower) / (now.xUpper - now.xLower) - 0.1);
        if (crosshair_ > now.xUpper) pan((crosshair_ - now.xUpper) / (now.xUpper - now.xLower) + 0.1);
    };
    if (content_.empty()) return QWidget::keyPressEvent(event);
    switch (event->key()) {
        case Qt::Key_Left: return moveTo(crosshair_ < 0 ? middle : from - step);
        case Qt::Key_Right: return moveTo(crosshair_ < 0 ? middle : from + step);
        case Qt::Key_Up:
        case Qt::Key_Down: {
            const size_t count = content_.blocks.size();
            block_ = (block_ + (event->key() == Qt::Key_Down ? 1 : count - 1)) % count;
            return updateMarks();
        }
        case Qt::Key_PageUp: return pan(-0.5);
        case Qt::Key_PageDown: return pan(0.5);
        case Qt::Key_Plus:
        case Qt::Key_Equal: return zoomAround(from, 0.7);
        case Qt::Key_Minus: return zoomAround(from, 1 / 0.7);
        case Qt::Key_Return:
        case Qt::Key_Enter:
        case Qt::Key_Space: return selectAtCrosshair();
        case Qt::Key_Escape:
            setReference(-1);
            return setCrosshair(-1);
        default: QWidget::keyPressEvent(event);
    }
}

void Plot::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    QFont font = title_->font();
    font.setUnderline(event->reason() != Qt::MouseFocusReason);  // shows keyboard users where they are
    title_->setFont(font);
}

void Plot::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    QFont font = title_->font();
    font.setUnderline(false);
    title_->setFont(font);
}

QWidget* Plot::canvas() const { return canvas_; }

QPointF Plot::pixelOf(double x, double y) const { return {canvas_->xAxis->coordToPixel(x), canvas_->yAxis->coordToPixel(y)}; }

}  // namespace owq
