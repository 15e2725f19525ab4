// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QPainter>
#include <QProxyStyle>
#include <QStyleOption>
#include <QStyleFactory>

#include "widgets/theme/system_look.h"

namespace owq {
namespace {

// Applied on top of Fusion; palette(...) keeps it right in both looks.
const char* kStyle = R"(
QToolTip { border: 1px solid palette(mid); padding: 4px 6px; background: palette(base); color: palette(text); }
QMainWindow::separator { width: 5px; height: 5px; background: transparent; }
QDockWidget { font-weight: 600; }
QDockWidget::title { padding: 7px 8px 5px 10px; background: transparent; text-align: left; }
QDockWidget > QWidget { font-weight: normal; }
QHeaderView::section { background: palette(window); border: none; border-bottom: 1px solid palette(mid); padding: 5px 6px; }
QAbstractItemView { border: 1px solid palette(mid); border-radius: 6px; }
QStatusBar::item { border: none; }
QToolBar { border: none; border-bottom: 1px solid palette(mid); padding: 4px 6px; spacing: 4px; }
QToolBar QToolButton { padding: 5px 9px; border-radius: 6px; }
QToolBar QToolButton:hover { background: palette(midlight); }
QToolBar QToolButton:pressed, QToolBar QToolButton:checked { background: palette(mid); }
QLineEdit { border: 1px solid palette(mid); border-radius: 5px; padding: 3px 5px; background: palette(base); }
QLineEdit:focus { border-color: palette(highlight); }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: none; padding: 0; background: transparent; }
QPushButton { border: 1px solid palette(mid); border-radius: 6px; padding: 5px 12px; background: palette(button); }
QPushButton:hover { background: palette(midlight); }
QPushButton:pressed { background: palette(mid); }
QPushButton:focus { border-color: palette(highlight); }
QPushButton[primary="true"]:enabled { background: palette(highlight); color: palette(highlighted-text); border-color: palette(highlight); }
QPushButton[primary="true"]:enabled:focus { border-color: palette(text); }
QTabBar::tab { padding: 6px 12px; border: none; border-bottom: 2px solid transparent; background: transparent; }
QTabBar::tab:selected { border-bottom-color: palette(highlight); }
QTabBar::tab:hover:!selected { background: palette(midlight); }
)";

// Fusion, but for two things: the icons that a desktop puts on the buttons of dialogs are made for its own look, and an unchecked box can
// hardly be seen on a dark ground.
class OurFusion : public QProxyStyle {
public:
    using QProxyStyle::QProxyStyle;
    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* data) const override {
        return hint == SH_DialogButtonBox_ButtonsHaveIcons ? 0 : QProxyStyle::styleHint(hint, option, widget, data);
    }
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override {
        QProxyStyle::drawPrimitive(element, option, painter, widget);
        if (element != PE_IndicatorCheckBox || option->state & State_On || !(option->state & State_Enabled)) return;
        painter->save();
        painter->setPen(option->palette.color(QPalette::PlaceholderText));
        painter->setBrush(Qt::NoBrush);
        painter->drawRect(option->rect.adjusted(0, 0, -1, -1));
        painter->restore();
    }
};

}  // namespace

Theme::Theme(QApplication& application) : application_(application), system_(new SystemLook(this)) {
    application_.setStyle(new OurFusion(QStyleFactory::create(QStringLiteral("Fusion"))));
    application_.setStyleSheet(QLatin1String(kStyle));
    connect(system_, &SystemLook::changed, this, &Theme::apply);
    apply();
}

void Theme::choose(ThemeChoice choice) {
    choice_ = choice;
    apply();
}

void Theme::apply() {
    dark_ = choice_ == ThemeChoice::dark || (choice_ == ThemeChoice::system && system_->dark());
    application_.setPalette(palette(dark_));
    application_.setStyleSheet(
        application_.styleSheet());  // palette(...) in a sheet is resolved when the sheet is set
    Q_EMIT changed(dark_);
}

QPalette Theme::palette(bool dark) {
    const auto pick = [dark](const char* light, const char* night) {
        return QColor(QLatin1String(dark ? night : light));
    };
    QPalette p;
    p.setColor(QPalette::Window, pick("#f5f6f8", "#22262c"));
    p.setColor(QPalette::WindowText, pick("#1b2130", "#e4e7ec"));
    p.setColor(QPalette::Base, pick("#ffffff", "#17191e"));
    p.setColor(QPalette::AlternateBase, pick("#f7f8fa", "#1b1e23"));
    p.setColor(QPalette::Text, pick("#1b2130", "#e4e7ec"));
    p.setColor(QPalette::PlaceholderText, pick("#868d9b", "#7d8592"));
    p.setColor(QPalette::Button, pick("#ffffff", "#30353d"));
    p.setColor(QPalette::ButtonText, pick("#1b2130", "#e4e7ec"));
    p.setColor(QPalette::BrightText, pick("#ffffff", "#ffffff"));
    p.setColor(QPalette::ToolTipBase, pick("#ffffff", "#2a2e35"));
    p.setColor(QPalette::ToolTipText, pick("#1b2130", "#e4e7ec"));
    p.setColor(QPalette::Light, pick("#ffffff", "#3a3f48"));
    p.setColor(QPalette::Midlight, pick("#e9ecf1", "#333841"));
    p.setColor(QPalette::Mid, pick("#d5dae2", "#424852"));
    p.setColor(QPalette::Dark, pick("#b3bac6", "#121418"));
    p.setColor(QPalette::Shadow, pick("#8a92a0", "#0b0c0e"));
    p.setColor(QPalette::Highlight, pick("#2563c9", "#4a8df0"));
    p.setColor(QPalette::HighlightedText, pick("#ffffff", "#ffffff"));
    p.setColor(QPalette::Link, pick("#2563c9", "#7fb2ff"));
    p.setColor(QPalette::LinkVisited, pick("#6b4fb3", "#b9a3f0"));
    for (auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, pick("#9aa1ad", "#666d78"));
    p.setColor(QPalette::Disabled, QPalette::Highlight, pick("#c3c9d3", "#3a3f48"));
    p.setColor(QPalette::Disabled, QPalette::Button, pick("#f0f1f4", "#24282e"));
    return p;
}

QColor Theme::muted(const QPalette& p) {
    return isDark(p) ? QColor(0x9a, 0xa3, 0xb1) : QColor(0x5d, 0x66, 0x76);
}
QColor Theme::line(const QPalette& p) {
    return p.color(QPalette::Mid);
}
QColor Theme::good(const QPalette& p) {
    return isDark(p) ? QColor(0x3f, 0xc3, 0x8b) : QColor(0x00, 0x7a, 0x55);
}
QColor Theme::warning(const QPalette& p) {
    return isDark(p) ? QColor(0xf0, 0xb4, 0x4a) : QColor(0x9a, 0x62, 0x00);
}
QColor Theme::bad(const QPalette& p) {
    return isDark(p) ? QColor(0xff, 0x7b, 0x72) : QColor(0xb8, 0x32, 0x2a);
}

}  // namespace owq
