// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QIcon>
#include <QWidget>

namespace owq {

/// A themed icon as a picture; unlike a pixmap in a label it follows a change of the look.
class IconLabel : public QWidget {
    Q_OBJECT
public:
    explicit IconLabel(int size, QWidget* parent = nullptr);
    void setIcon(const QString& name, bool accent = false);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QIcon icon_;
    int size_;
};

}  // namespace owq
