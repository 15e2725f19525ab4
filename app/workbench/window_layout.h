// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QList>
#include <QObject>

class QAction;
class QDockWidget;
class QMainWindow;
class QMenu;

namespace owq {

/// The panels around the centre: where they stand at first, how they are kept and put back.
class WindowLayout : public QObject {
    Q_OBJECT
public:
    /// Panels are listed in `menu`.
    WindowLayout(QMainWindow& window, QMenu* menu);

    /// Panels of one area are tabs of one place, the first in front.
    QDockWidget* add(const char* name, const QString& title, const char* icon, QWidget* content, Qt::DockWidgetArea area,
                     const QString& shortcut);
    QWidget* raise(const char* name);  ///< the panel, null where there is none of this name
    bool isWorking() const { return working_; }
    /// The start page has the window for itself; the panels come back as they were.
    void setWorking(bool working);
    void reset();
    void restore();  ///< geometry and panels as they were when the program ended
    void save();
    QMainWindow& window() { return window_; }
    QByteArray state() const;
    bool setState(const QByteArray& state);  ///< false: of another version, nothing changed

private:
    struct Panel {
        QDockWidget* dock;
        Qt::DockWidgetArea area;
    };
    QMainWindow& window_;
    QMenu* menu_;
    QList<Panel> panels_;
    bool working_ = false;
};

}  // namespace owq
