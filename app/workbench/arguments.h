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

    QString directory, kind, out, csv;  ///< of renderFigure
    QStringList layers;
    QString compare;    ///< run whose curves are drawn beside those of `directory`; may be empty
    QString columnsBy;  ///< empty: as the project says, else by index
    bool share = false;
    double widthMm = 85, heightMm = 60, fontPt = 8, linePt = 0.8, dpi = 600;
};

/// `arguments` without the program's name. Options of Qt itself (-platform …) are left to Qt.
Arguments parseArguments(const QStringList& arguments);
QString helpText();

}  // namespace owq
