// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <QPointer>

class QWidget;

namespace owq {

struct Actions;
class HelpWindow;

/// F1 at the right place, the sheet of keys, and who made this.
class HelpController : public QObject {
    Q_OBJECT
public:
    HelpController(QWidget& window, const Actions& actions);
    /// The page for whatever has the keyboard: the nearest widget around it that has a topic.
    void showHere();
    void showTopic(const QString& topic);
    void showShortcuts();
    void showAbout();

    static void setTopic(QWidget* widget, const char* topic);

private:
    QWidget& window_;
    const Actions& actions_;
    QPointer<HelpWindow> help_;
};

}  // namespace owq
