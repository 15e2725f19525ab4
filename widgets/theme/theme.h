// SPDX-License-Identifier: GPL-3.0-or-later
// Light and dark looks. The system's choice is followed while the program runs unless a person overrides it.
#pragma once
#include <QColor>
#include <QObject>
#include <QPalette>

class QApplication;

namespace owq {

class SystemLook;

enum class ThemeChoice { system, light, dark };

class Theme : public QObject {
    Q_OBJECT
public:
    /// One per application; the application must outlive it.
    explicit Theme(QApplication& application);

    void choose(ThemeChoice choice);
    ThemeChoice choice() const { return choice_; }
    bool dark() const { return dark_; }

    static QPalette palette(bool dark);
    /// Colours that a QPalette has no role for, fit for the palette in use.
    static bool isDark(const QPalette& palette) { return palette.color(QPalette::Window).lightness() < 128; }
    static QColor accent(const QPalette& palette) { return palette.color(QPalette::Highlight); }
    static QColor muted(const QPalette& palette);  ///< secondary text
    static QColor line(const QPalette& palette);   ///< borders
    static QColor good(const QPalette& palette);
    static QColor warning(const QPalette& palette);
    static QColor bad(const QPalette& palette);

Q_SIGNALS:
    void changed(bool dark);

private:
    void apply();
    QApplication& application_;
    SystemLook* system_;
    ThemeChoice choice_ = ThemeChoice::system;
    bool dark_ = false;
};

}  // namespace owq
