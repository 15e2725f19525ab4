// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QList>
#include <QString>

class QAction;
class QActionGroup;
class QMainWindow;
class QMenu;

namespace owq {

/// Every action of the window with its text, tip and shortcut, and the menus and the tool bar that hold them.
struct Actions {
    explicit Actions(QMainWindow& window);
    QList<QAction*> all() const;  ///< what the command palette offers

    QAction *openFile, *openFolder, *openSample, *startPage, *exportRun, *quit;
    QAction *analyze, *run, *cancel, *measure;
    QAction *filter, *palette, *resetLayout, *fullScreen;
    QAction *themeSystem, *themeLight, *themeDark;
    QAction *shortcuts, *about;
    QMenu *recent, *panels;
    QActionGroup* themes;

private:
    QAction* add(QMenu* menu, const char* icon, const QString& text, const QString& shortcut,
                 const QString& tip);
    QMainWindow& window_;
    QList<QAction*> all_;
};

}  // namespace owq
