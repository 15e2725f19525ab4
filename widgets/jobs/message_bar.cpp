// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/jobs/message_bar.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QGuiApplication>
#include <QLabel>
#include <QPainter>
#include <QToolButton>

#include "widgets/theme/icon.h"
#include "widgets/theme/icon_label.h"
#include "widgets/theme/theme.h"

namespace owq {

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent),
      icon_(new IconLabel(22)),
      text_(new QLabel),
      action_(new QToolButton),
      copy_(new QToolButton),
      close_(new QToolButton) {
    text_->setWordWrap(true);
    text_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    text_->setTextFormat(Qt::RichText);
    text_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    action_->setObjectName(QStringLiteral("messageAction"));
    copy_->setText(tr("Copy details"));
    copy_->setToolTip(tr("Copy the whole message, to search for it or report it"));
    close_->setIcon(themedIcon(QStringLiteral("close")));
    close_->setAutoRaise(true);
    close_->setToolTip(tr("Close this message"));
    close_->setAccessibleName(close_->toolTip());
    for (QToolButton* b : {action_, copy_})
        b->setStyleSheet(
            QStringLiteral("QToolButton { border: 1px solid palette(mid); border-radius: 6px; padding: 4px "
                           "10px; background: palette(base); }"
                           "QToolButton:hover { background: palette(midlight); }"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(14, 8, 8, 8);
    layout->setSpacing(10);
    layout->addWidget(icon_);
    layout->addWidget(text_, 1);
    layout->addWidget(action_);
    layout->addWidget(copy_);
    layout->addWidget(close_);
    connect(close_, &QToolButton::clicked, this, &QWidget::hide);
    connect(copy_, &QToolButton::clicked, this, [this] {
        QGuiApplication::clipboard()->setText(message_.details.isEmpty() ? text() : message_.details);
    });
    connect(action_, &QToolButton::clicked, this, [this] {
        hide();
        if (act_) act_();
    });
    hide();
}

void MessageBar::show(const Message& message) {
    show(message, {}, nullptr);
}

void MessageBar::show(const Message& message, const QString& action, std::function<void()> act) {
    message_ = message;
    act_ = std::move(act);
    action_->setText(action);
    action_->setVisible(!action.isEmpty());
    copy_->setVisible(message.kind != Kind::info);
    QString html = QStringLiteral("<b>%1</b>").arg(message.happened.toHtmlEscaped());
    if (!message.where.isEmpty()) html += QStringLiteral(" — %1").arg(message.where.toHtmlEscaped());
    if (!message.remedy.isEmpty()) html += QStringLiteral("<br>%1").arg(message.remedy.toHtmlEscaped());
    text_->setText(html);
    text_->setAccessibleName(text());
    const char* icon = message.kind == Kind::error     ? "error"
                       : message.kind == Kind::warning ? "warning"
                                                       : "info";
    icon_->setIcon(QLatin1String(icon));
    QFrame::show();
}

QString MessageBar::text() const {
    QStringList parts{message_.happened};
    if (!message_.where.isEmpty()) parts << message_.where;
    if (!message_.remedy.isEmpty()) parts << message_.remedy;
    return parts.join(QLatin1Char('\n'));
}

void MessageBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const QColor colour = message_.kind == Kind::error     ? Theme::bad(palette())
                          : message_.kind == Kind::warning ? Theme::warning(palette())
                                                           : Theme::accent(palette());
    QColor fill = colour;
    fill.setAlphaF(Theme::isDark(palette()) ? 0.20f : 0.10f);
    painter.fillRect(rect(), fill);
    painter.fillRect(QRect(0, 0, 4, height()), colour);
}

}  // namespace owq
