// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <QStringList>

namespace owq {

/// What the program was started with.
struct Arguments {
    enum class Mode { window, renderFigure, version, help, wrong };
    Mode mode = Mode::window;
    QString message;  ///< of wrong: what is wrong
    QString path;     ///< to open in the window; empty: the start page

    QString directory, kind, layer, out, csv;  ///< of renderFigure
    double widthMm = 85, heightMm = 60, fontPt = 8;
};

/// `arguments` without the program's name. Options of Qt itself (-platform …) are left to Qt.
Arguments parseArguments(const QStringList& arguments);
QString helpText();

}  // namespace owq
