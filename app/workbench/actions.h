// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QList>
#include <QString>

class QAction;
class QActionGroup;
class QMainWindow;
class QMenu;
class QUndoStack;

namespace owq {

/// Every action of the window with its text, tip and shortcut, and the menus and the tool bar that hold them.
struct Actions {
    Actions(QMainWindow& window, QUndoStack& undoStack);
    QList<QAction*> all() const;  ///< what the command palette offers

    QAction *openFile, *openFolder, *openSample, *saveProject, *saveProjectAs, *startPage, *exportRun, *exportFigures, *exportErrorSaved, *quit;
    QAction *undo, *redo, *allocate, *importBudget, *exportBudget;
    QAction *analyze, *run, *cancel, *measure, *showRun, *compare, *swapRuns, *endComparison;
    QAction *filter, *palette, *resetLayout, *fullScreen;
    QAction *themeSystem, *themeLight, *themeDark;
    QAction *help, *lesson, *tour, *shortcuts, *about;
    QMenu *recent, *panels;
    QActionGroup* themes;

private:
    QAction* add(QMenu* menu, const char* icon, const QString& text, const QString& shortcut,
                 const QString& tip);
    void adopt(QAction* action, QMenu* menu, const char* icon, const QString& shortcut, const QString& tip);
    QMainWindow& window_;
    QList<QAction*> all_;
};

}  // namespace owq
