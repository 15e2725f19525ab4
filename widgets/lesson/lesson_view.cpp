// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/lesson/lesson_view.h"

#include <QAction>
#include <QBoxLayout>
#include <QComboBox>
#include <QKeyEvent>
#include <QLabel>
#include <QListWidget>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalBlocker>
#include <QSplitter>
#include <QStackedWidget>
#include <QTextBrowser>

#include "widgets/hessian/hessian_plot.h"
#include "widgets/lesson/cell_pane.h"
#include "widgets/theme/icon.h"
#include "widgets/theme/primary_button.h"
#include "widgets/theme/theme.h"

namespace owq {
namespace {

QLabel* label(double scale, bool bold) {
    auto* made = new QLabel;
    QFont font = made->font();
    font.setPointSizeF(font.pointSizeF() * scale);
    if (bold) font.setWeight(QFont::DemiBold);
    made->setFont(font);
    made->setWordWrap(true);
    return made;
}

QString styleOf(const QPalette& palette) {
    const QColor box = palette.color(QPalette::Midlight), faint = Theme::muted(palette);
    return QStringLiteral("p { margin-top: 0; margin-bottom: 9px; line-height: 132%; } p.note { color: %2; font-size: small; }"
                          "table.eq { margin-top: 2px; margin-bottom: 10px; } td.eq, td.eqno { background-color: %1; } td.eqno { color: %2; }")
        .arg(box.name(), faint.name());
}

}  // namespace

LessonView::LessonView(QWidget* parent) : QWidget(parent, Qt::Window), pages_(new QStackedWidget) {
    setWindowTitle(tr("Lesson – OWQ Workbench"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(pages_);
    pages_->addWidget(makeWaiting());
    pages_->addWidget(makeLesson());
    makeActions();
    connectPictures();
    resize(1280, 800);
}

QWidget* LessonView::makeWaiting() {
    wait_ = label(1.25, true);
    remedy_ = label(1, false);
    for (QLabel* text : {wait_, remedy_}) text->setAlignment(Qt::AlignCenter);
    progress_ = new QProgressBar;
    progress_->setTextVisible(false);
    progress_->setFixedWidth(360);
    progress_->setAccessibleName(tr("Progress"));
    cancel_ = new QPushButton(themedIcon(QStringLiteral("stop")), tr("&Cancel"));
    again_ = new QPushButton(tr("&Try again"));
    cancel_->setObjectName(QStringLiteral("lessonCancel"));
    again_->setObjectName(QStringLiteral("lessonAgain"));
    connect(cancel_, &QPushButton::clicked, this, &LessonView::cancelWanted);
    connect(again_, &QPushButton::clicked, this, &LessonView::againWanted);
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(60, 40, 60, 40);
    layout->setSpacing(14);
    layout->addStretch();
    layout->addWidget(wait_);
    layout->addWidget(remedy_);
    for (QWidget* widget : std::initializer_list<QWidget*>{progress_, cancel_, again_}) layout->addWidget(widget, 0, Qt::AlignHCenter);
    layout->addStretch();
    return page;
}

QWidget* LessonView::makeLesson() {
    contents_ = new QListWidget;
    contents_->setObjectName(QStringLiteral("lessonContents"));
    contents_->setAccessibleName(tr("Pages of the lesson"));
    contents_->setFrameShape(QFrame::NoFrame);
    contents_->setWordWrap(true);
    contents_->setStyleSheet(QStringLiteral(
        "QListWidget { border: none; } QListWidget::item { padding: 8px 6px; border-radius: 6px; color: palette(text); }"
        "QListWidget::item:selected { background: palette(highlight); color: palette(highlighted-text); }"));
    heading_ = label(1.5, true);
    about_ = label(1, false);
    about_->setForegroundRole(QPalette::PlaceholderText);
    rows_ = new QComboBox;
    rows_->setObjectName(QStringLiteral("lessonRow"));
    rows_->setAccessibleName(tr("Row that the numbers are of"));
    rows_->setToolTip(tr("The row whose numbers stand in the equations"));
    rowLabel_ = new QLabel(tr("Numbers of"));
    rowLabel_->setForegroundRole(QPalette::PlaceholderText);
    auto* titles = new QVBoxLayout;
    titles->setSpacing(2);
    titles->addWidget(heading_);
    titles->addWidget(about_);
    auto* top = new QHBoxLayout;
    top->addLayout(titles, 1);
    top->addWidget(rowLabel_, 0, Qt::AlignBottom);
    top->addWidget(rows_, 0, Qt::AlignBottom);

    plot_ = new HessianPlot;
    main_ = new CellPane;
    side_ = new CellPane;
    main_->setObjectName(QStringLiteral("lessonMain"));
    side_->setObjectName(QStringLiteral("lessonSide"));
    auto* pictures = new QSplitter(Qt::Vertical);
    pictures->setChildrenCollapsible(false);
    pictures->setHandleWidth(14);
    for (QWidget* picture : std::initializer_list<QWidget*>{plot_, main_, side_}) pictures->addWidget(picture);
    pictures->setStretchFactor(0, 5);
    pictures->setStretchFactor(1, 6);
    pictures->setStretchFactor(2, 4);

    text_ = new QTextBrowser;
    text_->setObjectName(QStringLiteral("lessonText"));
    text_->setAccessibleName(tr("Explanation and equations"));
    text_->setFrameShape(QFrame::NoFrame);
    text_->document()->setDocumentMargin(14);
    back_ = new QPushButton(tr("&Back"));
    next_ = new QPushButton(tr("&Next"));
    export_ = new QPushButton(themedIcon(QStringLiteral("figure")), tr("Export &figure…"));
    next_->setProperty("primary", true);
    back_->setToolTip(tr("One step back (Left, or Alt+Left from anywhere)"));
    next_->setToolTip(tr("One step on (Right, or Alt+Right from anywhere)"));
    export_->setToolTip(tr("Write the picture as PDF, SVG or PNG, for slides"));
    back_->setObjectName(QStringLiteral("lessonBack"));
    next_->setObjectName(QStringLiteral("lessonNext"));
    export_->setObjectName(QStringLiteral("lessonExport"));
    for (QPushButton* button : {back_, next_}) button->setMinimumWidth(110);
    count_ = new QLabel;
    count_->setForegroundRole(QPalette::PlaceholderText);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(export_);
    buttons->addStretch();
    buttons->addWidget(count_);
    buttons->addSpacing(12);
    buttons->addWidget(back_);
    buttons->addWidget(next_);

    auto* picturesAndText = new QSplitter;
    picturesAndText->setChildrenCollapsible(false);
    picturesAndText->setHandleWidth(14);
    picturesAndText->addWidget(pictures);
    picturesAndText->addWidget(text_);
    picturesAndText->setStretchFactor(0, 3);
    picturesAndText->setStretchFactor(1, 1);
    picturesAndText->setSizes({610, 440});
    auto* work = new QWidget;
    auto* column = new QVBoxLayout(work);
    column->setContentsMargins(18, 14, 18, 14);
    column->setSpacing(12);
    column->addLayout(top);
    column->addWidget(picturesAndText, 1);
    column->addLayout(buttons);
    auto* all = new QSplitter;
    all->setChildrenCollapsible(false);
    all->addWidget(contents_);
    all->addWidget(work);
    all->setStretchFactor(1, 1);
    all->setSizes({210, 1070});
    return all;
}

void LessonView::makeActions() {
    const auto action = [this](const QString& name, const QKeySequence& key, auto handler) {
        auto* made = new QAction(name, this);
        made->setShortcut(key);
        made->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        connect(made, &QAction::triggered, this, handler);
        addAction(made);
    };
    action(tr("Next step"), QKeySequence(Qt::ALT | Qt::Key_Right), [this] { goTo(step_ + 1); });
    action(tr("Previous step"), QKeySequence(Qt::ALT | Qt::Key_Left), [this] { goTo(step_ - 1); });
    action(tr("Close the lesson"), QKeySequence(Qt::Key_Escape), [this] { close(); });
    connect(next_, &QPushButton::clicked, this, [this] { goTo(step_ + 1); });
    connect(back_, &QPushButton::clicked, this, [this] { goTo(step_ - 1); });
    connect(export_, &QPushButton::clicked, this, &LessonView::requestFigure);
    // On buttons the arrow keys would only move the focus.
    for (QPushButton* button : {back_, next_, export_}) button->installEventFilter(this);
    connect(contents_, &QListWidget::currentRowChanged, this, [this](int row) {
        if (row < 0) return;
        const auto page = LessonPage(contents_->item(row)->data(Qt::UserRole).toInt());
        for (int i = 0; i < steps(); ++i)
            if (places_[size_t(i)].page == page) return goTo(i);
    });
}

void LessonView::connectPictures() {
    connect(rows_, &QComboBox::activated, this, &LessonView::setRow);
    connect(&main_->canvas(), &CellCanvas::cursorMoved, this, [this](int row, int column) {
        switch (place().page) {
            case LessonPage::grid:
                focus_.step = column + 1;
                focus_.zero = data_->all.grids[size_t(focus_.row)].levels - row;
                break;
            case LessonPage::loop:
            case LessonPage::kept:
                if (row < data_->height()) focus_.row = row;
                focus_.column = column;
                break;
            default: focus_.column = column;
        }
        refresh();
    });
    for (CellPane* pane : {main_, side_})
        connect(pane, &CellPane::figureRequested, this, [this, pane] { Q_EMIT figureRequested(pane->figure()); });
    connect(plot_, &Plot::figureRequested, this, [this] {
        FigureOptions options;
        options.xMode = plot_->xMode();
        Q_EMIT figureRequested(curveFigure(options, plot_->curves()));
    });
}

void LessonView::requestFigure() {
    if (scene_.showsPlot) return Q_EMIT plot_->figureRequested();
    Q_EMIT figureRequested(main_->figure());
}

void LessonView::showBusy(const QString& what, double fraction) {
    busy_ = true;
    pages_->setCurrentIndex(0);
    wait_->setText(what);
    remedy_->setVisible(false);
    progress_->setVisible(true);
    progress_->setRange(0, fraction < 0 ? 0 : 1000);
    progress_->setValue(int(fraction * 1000));
    cancel_->setVisible(true);
    again_->setVisible(false);
}

void LessonView::showFailure(const QString& happened, const QString& remedy) {
    busy_ = false;
    pages_->setCurrentIndex(0);
    wait_->setText(happened);
    remedy_->setText(remedy);
    remedy_->setVisible(!remedy.isEmpty());
    progress_->setVisible(false);
    cancel_->setVisible(false);
    again_->setVisible(true);
}

void LessonView::setLesson(LessonDataPtr data, int step) {
    busy_ = false;
    data_ = std::move(data);
    places_ = lessonPlaces(*data_);
    focus_ = {};
    // A row whose search did not end at the whole range says more.
    for (int r = 1; r < data_->height(); ++r)
        if (data_->all.grids[size_t(r)].step < data_->all.grids[size_t(focus_.row)].step) focus_.row = r;
    about_->setText(tr("%1 – %2").arg(data_->layer, data_->model));
    {
        const QSignalBlocker quiet(rows_), still(contents_);
        rows_->clear();
        for (const int row : data_->rows) rows_->addItem(tr("row %1").arg(row));
        contents_->clear();
        for (const LessonPlace& place : places_)
            if (place.turn == 0) {
                auto* item =
                    new QListWidgetItem(QStringLiteral("%1.  %2").arg(contents_->count() + 1).arg(lessonPageTitle(place.page, *data_)), contents_);
                item->setData(Qt::UserRole, int(place.page));
            }
    }
    plot_->setCurves({data_->whole});
    plot_->setSelectedColumn(data_->columns[size_t(data_->outlier)]);
    step_ = std::clamp(step, 0, steps() - 1);
    enter();  // first: a list without a current page would choose its first one when it gets the focus
    pages_->setCurrentIndex(1);
    next_->setFocus();
}

void LessonView::goTo(int step) {
    if (!data_ || step < 0 || step >= steps() || step == step_) return;
    const LessonPage before = place().page;
    step_ = step;
    if (place().page != before) focus_.column = -1, focus_.step = 0;
    enter();
    Q_EMIT stepChanged(step_);
}

void LessonView::enter() {
    {
        const QSignalBlocker still(contents_);
        for (int i = 0; i < contents_->count(); ++i)
            if (contents_->item(i)->data(Qt::UserRole).toInt() == int(place().page)) contents_->setCurrentRow(i);
    }
    heading_->setText(lessonPageTitle(place().page, *data_));
    count_->setText(tr("Step %1 of %2").arg(step_ + 1).arg(steps()));
    QPushButton* const focused = back_->hasFocus() ? back_ : next_->hasFocus() ? next_ : nullptr;
    back_->setEnabled(step_ > 0);
    next_->setEnabled(step_ + 1 < steps());
    if (focused && !focused->isEnabled()) (focused == back_ ? next_ : back_)->setFocus();
    const bool hasRow = place().page == LessonPage::grid || place().page == LessonPage::loop || place().page == LessonPage::kept;
    rows_->setVisible(hasRow);
    rowLabel_->setVisible(hasRow);
    text_->verticalScrollBar()->setValue(0);
    refresh();
    // Where a person's eye is led first.
    const int outlier = data_->outlier;
    switch (place().page) {
        case LessonPage::linear: side_->canvas().setCursorCell({outlier, 0}); break;
        case LessonPage::ranking: main_->canvas().setCursorCell({outlier, 2}); break;
        case LessonPage::result: main_->canvas().setCursorCell({outlier, 0}); break;
        case LessonPage::loop:
        case LessonPage::kept: main_->canvas().setCursorCell({focus_.column > place().turn ? focus_.column : place().turn, focus_.row}); break;
        case LessonPage::grid: {
            const LessonGrid& grid = data_->all.grids[size_t(focus_.row)];
            main_->canvas().setCursorCell({grid.step - 1, grid.levels - grid.zero});
        }
    }
}

void LessonView::refresh() {
    scene_ = lessonScene(*data_, place(), focus_);
    plot_->setVisible(scene_.showsPlot);
    main_->setVisible(!scene_.main.cells.empty());
    side_->setVisible(!scene_.side.cells.empty());
    if (!scene_.main.cells.empty()) main_->setGrid(scene_.main);
    if (!scene_.side.cells.empty()) side_->setGrid(scene_.side);
    {
        const QSignalBlocker quiet(rows_);
        rows_->setCurrentIndex(focus_.row);
    }
    const int scrolled = text_->verticalScrollBar()->value();
    text_->document()->setDefaultStyleSheet(styleOf(palette()));
    text_->setHtml(scene_.html);
    text_->verticalScrollBar()->setValue(scrolled);
}

void LessonView::setRow(int row) {
    focus_.row = row;
    focus_.step = 0;
    enter();
}

void LessonView::keyPressEvent(QKeyEvent* event) {
    if (pages_->currentIndex() == 1 && event->key() == Qt::Key_Right) return goTo(step_ + 1);
    if (pages_->currentIndex() == 1 && event->key() == Qt::Key_Left) return goTo(step_ - 1);
    QWidget::keyPressEvent(event);
}

bool LessonView::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_Left || key->key() == Qt::Key_Right) {
            keyPressEvent(key);
            return true;
        }
        if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) {
            static_cast<QPushButton*>(watched)->click();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void LessonView::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && data_) refresh();
}

void LessonView::closeEvent(QCloseEvent* event) {
    if (busy_) Q_EMIT cancelWanted();
    QWidget::closeEvent(event);
}

}  // namespace owq
