// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/tour/tour.h"

#include <QAccessible>
#include <QApplication>
#include <QBoxLayout>
#include <QFrame>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QTimer>
#include <algorithm>

#include "widgets/theme/theme.h"

namespace owq {
namespace {
constexpr int kGap = 14, kTextWidth = 330;
}

Tour::Tour(std::vector<TourStop> stops, QWidget* window)
    : QWidget(window), stops_(std::move(stops)), focusBefore_(QApplication::focusWidget()), bubble_(new QFrame(this)), title_(new QLabel),
      text_(new QLabel), count_(new QLabel), back_(new QPushButton(tr("&Back"))), next_(new QPushButton(tr("&Next"))),
      end_(new QPushButton(tr("&End tour"))) {
    setObjectName(QStringLiteral("tour"));
    setAccessibleName(tr("Guided tour"));
    bubble_->setObjectName(QStringLiteral("tourBubble"));
    bubble_->setStyleSheet(QStringLiteral("#tourBubble { background: palette(base); border: 1px solid palette(mid); border-radius: 10px; }"));
    QFont font = title_->font();
    font.setPointSizeF(font.pointSizeF() * 1.25);
    font.setWeight(QFont::DemiBold);
    title_->setFont(font);
    text_->setWordWrap(true);
    text_->setFixedWidth(kTextWidth);
    count_->setForegroundRole(QPalette::PlaceholderText);
    next_->setProperty("primary", true);
    back_->setObjectName(QStringLiteral("tourBack"));
    next_->setObjectName(QStringLiteral("tourNext"));
    end_->setObjectName(QStringLiteral("tourEnd"));
    next_->setToolTip(tr("Right or Enter"));
    back_->setToolTip(tr("Left"));
    end_->setToolTip(tr("Escape"));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(count_, 1);
    for (QPushButton* button : {end_, back_, next_}) buttons->addWidget(button);
    auto* layout = new QVBoxLayout(bubble_);
    layout->setContentsMargins(18, 16, 18, 14);
    layout->setSpacing(10);
    layout->addWidget(title_);
    layout->addWidget(text_);
    layout->addLayout(buttons);
    layout->setSizeConstraint(QLayout::SetFixedSize);
    connect(back_, &QPushButton::clicked, this, [this] { goTo(current_ - 1); });
    connect(next_, &QPushButton::clicked, this, [this] { goTo(current_ + 1); });
    connect(end_, &QPushButton::clicked, this, &Tour::end);
    for (QPushButton* button : {back_, next_, end_}) button->installEventFilter(this);
    window->installEventFilter(this);
    setGeometry(window->rect());
    show();
    raise();
    goTo(0);
}

void Tour::goTo(int stop) {
    if (stop >= count()) return end();
    if (stop < 0) return;
    current_ = stop;
    const TourStop& now = stops_[size_t(stop)];
    if (now.prepare) now.prepare();
    title_->setText(now.title);
    text_->setText(now.text);
    count_->setText(tr("%1 of %2").arg(stop + 1).arg(count()));
    back_->setEnabled(stop > 0);
    next_->setText(stop + 1 < count() ? tr("&Next") : tr("&Done"));
    end_->setVisible(stop + 1 < count());
    bubble_->setAccessibleName(now.title);
    bubble_->setAccessibleDescription(now.text);
    place();
    // A panel that was just brought to the front has its size only once the layout is done.
    QTimer::singleShot(0, this, &Tour::place);
    raise();
    next_->setFocus();
    QAccessibleEvent event(bubble_, QAccessible::Alert);
    QAccessible::updateAccessibility(&event);
}

void Tour::place() {
    if (current_ < 0) return;
    setGeometry(parentWidget()->rect());
    const QPointer<QWidget>& target = stops_[size_t(current_)].target;
    hole_ = target && target->isVisible() ? QRect(target->mapTo(parentWidget(), QPoint()), target->size()).adjusted(-4, -4, 4, 4) & rect() : QRect();
    bubble_->adjustSize();
    const QSize size = bubble_->size();
    // Beside it where there is room, else over its lower end.
    QPoint at = rect().center() - QPoint(size.width() / 2, size.height() / 2);
    if (!hole_.isNull()) {
        if (rect().right() - hole_.right() > size.width() + 2 * kGap)
            at = {hole_.right() + kGap, hole_.top()};
        else if (hole_.left() > size.width() + 2 * kGap)
            at = {hole_.left() - kGap - size.width(), hole_.top()};
        else if (hole_.top() > size.height() + 2 * kGap)
            at = {hole_.center().x() - size.width() / 2, hole_.top() - kGap - size.height()};
        else if (rect().bottom() - hole_.bottom() > size.height() + 2 * kGap)
            at = {hole_.center().x() - size.width() / 2, hole_.bottom() + kGap};
        else
            at = {hole_.center().x() - size.width() / 2, hole_.bottom() - kGap - size.height()};
    }
    bubble_->move(std::clamp(at.x(), kGap, std::max(kGap, width() - size.width() - kGap)),
                  std::clamp(at.y(), kGap, std::max(kGap, height() - size.height() - kGap)));
    update();
}

void Tour::end() {
    if (!isVisible()) return;
    hide();
    if (focusBefore_ && focusBefore_->isVisible()) focusBefore_->setFocus();
    Q_EMIT ended();
    deleteLater();
}

void Tour::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath dim, hole;
    dim.addRect(rect());
    hole.addRoundedRect(hole_, 8, 8);
    painter.fillPath(dim.subtracted(hole), QColor(0, 0, 0, Theme::isDark(palette()) ? 150 : 105));
    if (hole_.isNull()) return;
    painter.setPen(QPen(Theme::accent(palette()), 2.5));
    painter.drawPath(hole);
}

void Tour::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Escape: return end();
        case Qt::Key_Right:
        case Qt::Key_Return:
        case Qt::Key_Enter: return goTo(current_ + 1);
        case Qt::Key_Left: return goTo(current_ - 1);
        default: event->accept();  // the window beneath must not act on it
    }
}

bool Tour::focusNextPrevChild(bool next) {
    std::vector<QPushButton*> ring;
    for (QPushButton* button : {end_, back_, next_})
        if (button->isVisible() && button->isEnabled()) ring.push_back(button);
    if (ring.empty()) return false;
    const auto at = std::find(ring.begin(), ring.end(), QApplication::focusWidget());
    const size_t index = at == ring.end() ? ring.size() - 1 : size_t(at - ring.begin());
    ring[(index + (next ? 1 : ring.size() - 1)) % ring.size()]->setFocus(next ? Qt::TabFocusReason : Qt::BacktabFocusReason);
    return true;
}

bool Tour::eventFilter(QObject* watched, QEvent* event) {
    if (watched == parentWidget() && event->type() == QEvent::Resize) place();
    if (event->type() == QEvent::KeyPress && watched != parentWidget()) {
        auto* key = static_cast<QKeyEvent*>(event);
        const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (enter) static_cast<QPushButton*>(watched)->click();
        if (enter) return true;
        if (key->key() == Qt::Key_Left || key->key() == Qt::Key_Right) {  // on a button they would only move the focus
            keyPressEvent(key);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace owq
