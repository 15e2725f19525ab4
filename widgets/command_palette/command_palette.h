// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QDialog>

class QAction;
class QLineEdit;
class QListWidget;

namespace owq {

/// Every action of the window by name: type a few letters, press Enter.
class CommandPalette : public QDialog {
    Q_OBJECT
public:
    CommandPalette(const QList<QAction*>& actions, QWidget* parent);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fill(const QString& text);
    void trigger();
    QList<QAction*> actions_;
    QLineEdit* edit_;
    QListWidget* list_;
};

}  // namespace owq
