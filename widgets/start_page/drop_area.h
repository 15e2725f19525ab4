// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

namespace owq {

/// The dashed field that invites a drop. A click or Enter on it asks for a folder.
class DropArea : public QWidget {
    Q_OBJECT
public:
    explicit DropArea(QWidget* parent = nullptr);
    void setDropping(bool dropping);

Q_SIGNALS:
    void clicked();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    bool dropping_ = false;
};

}  // namespace owq
