// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/window_layout.h"

#include <QAction>
#include <QApplication>
#include <QDockWidget>
#include <QMainWindow>
#include <QMenu>
#include <QSettings>
#include <array>
#include <memory>

#include "app/workbench/settings.h"
#include "widgets/theme/icon.h"

namespace owq {
namespace {

// Keys go where a person looks: F1 tells of the panel that was just brought to the front, the tabulator walks through it.
void giveFocus(QDockWidget* dock) {
    QWidget* content = dock->widget();
    if (content->isAncestorOf(QApplication::focusWidget())) return;
    for (QWidget* next = content->nextInFocusChain(); next != content; next = next->nextInFocusChain())
        if (content->isAncestorOf(next) && next->isVisible() && next->isEnabled() && (next->focusPolicy() & Qt::TabFocus)) return next->setFocus(Qt::OtherFocusReason);
}

}  // namespace

WindowLayout::WindowLayout(QMainWindow& window, QMenu* menu) : QObject(&window), window_(window), menu_(menu) {
    window_.setDockNestingEnabled(true);
    window_.setCorner(Qt::BottomLeftCorner, Qt::BottomDockWidgetArea);  // tables want width
    window_.setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    connect(&window_, &QMainWindow::tabifiedDockWidgetActivated, this, [](QDockWidget* dock) {
        // The content is shown behind the click. What the program brings to the front leaves the keyboard where it is.
        if (dock && QApplication::mouseButtons() != Qt::NoButton) QMetaObject::invokeMethod(dock, [dock] { giveFocus(dock); }, Qt::QueuedConnection);
    });
}

QDockWidget* WindowLayout::add(const char* name, const QString& title, const char* icon, QWidget* content, Qt::DockWidgetArea area,
                               const QString& shortcut) {
    auto* dock = new QDockWidget(title, &window_);
    dock->setObjectName(QLatin1String(name));
    dock->setWidget(content);
    window_.addDockWidget(area, dock);
    QAction* toggle = dock->toggleViewAction();
    toggle->setIcon(themedIcon(QLatin1String(icon)));
    toggle->setShortcut(QKeySequence(shortcut));
    toggle->setToolTip(tr("Show or hide the panel %1 (%2)").arg(title, shortcut));
    // A panel behind another tab counts as shown for Qt: its key would hide what nobody sees. Here it comes to the front first.
    auto inFront = std::make_shared<std::array<bool, 2>>();  // before, now
    connect(dock, &QDockWidget::visibilityChanged, dock, [inFront](bool visible) { *inFront = {(*inFront)[1], visible}; });
    connect(toggle, &QAction::triggered, dock, [dock, inFront](bool shown) {
        if (!shown && (*inFront)[0]) return;
        dock->show();
        dock->raise();
        giveFocus(dock);
    });
    menu_->addAction(toggle);
    window_.addAction(toggle);
    panels_.append({dock, area});
    return dock;
}

QWidget* WindowLayout::raise(const char* name) {
    for (const Panel& panel : panels_) {
        if (panel.dock->objectName() != QLatin1String(name)) continue;
        panel.dock->show();
        panel.dock->raise();
        return panel.dock;
    }
    return nullptr;
}

void WindowLayout::reset() {
    const int unit = window_.fontMetrics().averageCharWidth();
    for (const Qt::DockWidgetArea area : {Qt::LeftDockWidgetArea, Qt::RightDockWidgetArea, Qt::BottomDockWidgetArea}) {
        QDockWidget* first = nullptr;
        for (const Panel& panel : panels_) {
            if (panel.area != area) continue;
            panel.dock->setFloating(false);
            window_.addDockWidget(area, panel.dock);
            panel.dock->show();
            if (first)
                window_.tabifyDockWidget(first, panel.dock);
            else
                first = panel.dock;
        }
        if (!first) continue;
        first->raise();
        if (area == Qt::BottomDockWidgetArea)
            window_.resizeDocks({first}, {window_.fontMetrics().height() * 15}, Qt::Vertical);
        else
            window_.resizeDocks({first}, {unit * (area == Qt::LeftDockWidgetArea ? 80 : 56)}, Qt::Horizontal);
    }
}

QByteArray WindowLayout::state() const { return window_.saveState(keys::layoutVersion); }

bool WindowLayout::setState(const QByteArray& state) { return window_.restoreState(state, keys::layoutVersion); }

void WindowLayout::restore() {
    const QSettings kept;
    if (!window_.restoreGeometry(kept.value(QLatin1String(keys::geometry)).toByteArray())) window_.resize(1440, 900);
    reset();
    setState(kept.value(QLatin1String(keys::layout)).toByteArray());
}

void WindowLayout::save() {
    QSettings kept;
    kept.setValue(QLatin1String(keys::geometry), window_.saveGeometry());
    if (working_) kept.setValue(QLatin1String(keys::layout), state());
}

void WindowLayout::setWorking(bool working) {
    if (working_ && !working) save();
    for (const Panel& panel : panels_) {
        panel.dock->toggleViewAction()->setEnabled(working);
        if (!working) panel.dock->hide();
    }
    if (working && !working_ && !setState(QSettings().value(QLatin1String(keys::layout)).toByteArray())) reset();
    working_ = working;
}

}  // namespace owq
