// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/actions.h"

#include <QAction>
#include <QActionGroup>
#include <QCoreApplication>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QToolBar>
#include <QUndoStack>

#include "widgets/theme/icon.h"

namespace owq {
namespace {
QString tr(const char* text) {
    return QCoreApplication::translate("Actions", text);
}
}  // namespace

QAction* Actions::add(QMenu* menu, const char* icon, const QString& text, const QString& shortcut,
                      const QString& tip) {
    auto* action = new QAction(text, &window_);
    adopt(action, menu, icon, shortcut, tip);
    return action;
}

void Actions::adopt(QAction* action, QMenu* menu, const char* icon, const QString& shortcut, const QString& tip) {
    if (*icon) action->setIcon(themedIcon(QLatin1String(icon)));
    if (!shortcut.isEmpty()) action->setShortcut(QKeySequence(shortcut));
    action->setToolTip(shortcut.isEmpty() ? tip
                                          : QStringLiteral("%1 (%2)").arg(
                                                tip, action->shortcut().toString(QKeySequence::NativeText)));
    action->setStatusTip(tip);
    menu->addAction(action);
    window_.addAction(action);
    all_ << action;
}

Actions::Actions(QMainWindow& window, QUndoStack& undoStack) : window_(window) {
    QMenu* file = window.menuBar()->addMenu(tr("&File"));
    openFolder = add(file, "open", tr("Open &folder…"), QStringLiteral("Ctrl+O"),
                     tr("Open a checkpoint folder, a run directory or a packed model"));
    openFile = add(file, "file", tr("Open fi&le…"), QStringLiteral("Ctrl+Shift+O"),
                   tr("Open a shard, an index or a packed file"));
    openSample = add(file, "sample", tr("Open the &sample model"), QStringLiteral("Ctrl+Shift+M"),
                     tr("Open the small model that comes with the program"));
    recent = file->addMenu(themedIcon(QStringLiteral("recent")), tr("Open &recent"));
    file->addSeparator();
    saveProject = add(file, "save", tr("&Save project"), QStringLiteral("Ctrl+S"),
                      tr("Keep model, runs, budget, selection, ranges and layout in a file"));
    saveProjectAs = add(file, "", tr("Save project &as…"), QStringLiteral("Ctrl+Shift+S"), tr("Save the project under another name"));
    exportRun = add(file, "export", tr("&Export run…"), QStringLiteral("Ctrl+E"),
                    tr("Write the selected run as a model that can be loaded"));
    exportFigures = add(file, "figure", tr("Export all fi&gures…"), QStringLiteral("Ctrl+Shift+E"),
                        tr("Write every plot that shows something as PDF, SVG or PNG, with its data beside it"));
    exportErrorSaved = add(file, "figure", tr("Figure of error sa&ved…"), QStringLiteral("Ctrl+Shift+G"),
                           tr("Write which share of each layer's error its most sensitive columns save, over all layers"));
    file->addSeparator();
    startPage = add(file, "home", tr("Start &page"), QStringLiteral("Ctrl+Home"),
                    tr("Show the start page, and again what is open: it stays as it is"));
    quit = add(file, "", tr("&Quit"), QStringLiteral("Ctrl+Q"), tr("Close the program"));

    QMenu* edit = window.menuBar()->addMenu(tr("&Edit"));
    undo = undoStack.createUndoAction(&window, tr("&Undo"));
    redo = undoStack.createRedoAction(&window, tr("&Redo"));
    adopt(undo, edit, "undo", QStringLiteral("Ctrl+Z"), tr("Take back the last change of the budget"));
    adopt(redo, edit, "redo", QStringLiteral("Ctrl+Shift+Z"), tr("Make the change again that was taken back"));
    edit->addSeparator();
    allocate = add(edit, "budget", tr("&Allocate budget"), QStringLiteral("Ctrl+B"),
                   tr("Spend what locked layers leave of the target by the paper's rule"));
    importBudget = add(edit, "", tr("&Import budget…"), QStringLiteral("Ctrl+I"), tr("Read bits and weak columns per layer from a JSON file"));
    exportBudget = add(edit, "", tr("&Export budget…"), QStringLiteral("Ctrl+Shift+I"), tr("Write the budget as the file that owq quantize --budget reads"));

    QMenu* work = window.menuBar()->addMenu(tr("&Run"));
    run = add(work, "run", tr("&Run"), QStringLiteral("F5"),
              tr("Quantize the model with the settings of the panel"));
    analyze = add(work, "analyze", tr("&Analyze"), QStringLiteral("F6"),
                  tr("Measure Hessian and sensitivity without quantizing"));
    measure = add(work, "measure", tr("&Measure perplexity"), QStringLiteral("F7"),
                  tr("Measure the rows selected in Results, or all"));
    showRun = add(work, "results", tr("S&how run"), QStringLiteral("Ctrl+R"),
                  tr("The numbers of the row selected in Results in the tree and the plots"));
    compare = add(work, "compare", tr("C&ompare two runs"), QStringLiteral("Ctrl+D"),
                  tr("The two runs selected in Results in the same axes, and where they differ most"));
    swapRuns = add(work, "", tr("S&wap A and B"), QStringLiteral("Ctrl+Shift+W"), tr("Take B for A and A for B in the comparison"));
    endComparison = add(work, "close", tr("&End comparison"), QStringLiteral("Ctrl+Shift+D"), tr("Show one run again"));
    cancel = add(work, "stop", tr("&Cancel"), QStringLiteral("Shift+F5"),
                 tr("Stop the running job; finished layers are kept"));

    QMenu* view = window.menuBar()->addMenu(tr("&View"));
    panels = view->addMenu(tr("&Panels"));
    filter = add(view, "search", tr("&Filter layers"), QStringLiteral("Ctrl+F"), tr("Type to find layers"));
    palette =
        add(view, "", tr("&Command palette"), QStringLiteral("Ctrl+Shift+P"), tr("Find any command by name"));
    view->addSeparator();
    QMenu* theme = view->addMenu(tr("&Theme"));
    themes = new QActionGroup(&window);
    themeSystem =
        add(theme, "", tr("Theme: as the &system"), QStringLiteral("F9"), tr("Follow the system's light or dark look"));
    themeLight = add(theme, "", tr("Theme: &light"), QStringLiteral("Shift+F9"), tr("Light look"));
    themeDark = add(theme, "", tr("Theme: &dark"), QStringLiteral("Ctrl+F9"), tr("Dark look"));
    for (QAction* action : {themeSystem, themeLight, themeDark}) {
        action->setCheckable(true);
        themes->addAction(action);
    }
    view->addSeparator();
    resetLayout = add(view, "", tr("&Reset layout"), QStringLiteral("Ctrl+0"), tr("Put every panel back to its place"));
    fullScreen = add(view, "", tr("F&ull screen"), QStringLiteral("F11"), tr("Use the whole screen"));
    fullScreen->setCheckable(true);

    QMenu* help = window.menuBar()->addMenu(tr("&Help"));
    this->help = add(help, "help", tr("&Help"), QStringLiteral("F1"), tr("Help for what has the keyboard"));
    lesson = add(help, "lesson", tr("&Lesson"), QStringLiteral("Ctrl+L"),
                 tr("See how a piece of a real layer is quantized, step by step"));
    tour = add(help, "tour", tr("Guided &tour"), QStringLiteral("Ctrl+Shift+L"), tr("A short walk through the window"));
    shortcuts = add(help, "info", tr("&Keyboard shortcuts"), QStringLiteral("Shift+F1"),
                    tr("All commands with their keys"));
    about = add(help, "", tr("&About"), QStringLiteral("Ctrl+F1"), tr("Version and licence"));

    QToolBar* bar = window.addToolBar(tr("Tools"));
    bar->setObjectName(QStringLiteral("tools"));
    bar->setMovable(false);
    bar->setIconSize({20, 20});
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    bar->addActions({openFolder, openFile});
    bar->addSeparator();
    bar->addActions({analyze, run, measure, cancel});
    bar->addSeparator();
    bar->addActions({exportRun});
}

QList<QAction*> Actions::all() const {
    return all_ + panels->actions();
}

}  // namespace owq
