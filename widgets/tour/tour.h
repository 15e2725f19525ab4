// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QPointer>
#include <QWidget>
#include <functional>
#include <vector>

class QFrame;
class QLabel;
class QPushButton;

namespace owq {

struct TourStop {
    QPointer<QWidget> target;       // what the call-out points at
    QString title, text;
    std::function<void()> prepare;  // brings the target into sight; may be empty
};

// Leads through a window: everything but one place is dimmed, and a call-out beside it says what it is for. Next with Right or Enter,
// back with Left, Escape ends it. Lies over the whole window until then, and deletes itself.
class Tour : public QWidget {
    Q_OBJECT
public:
    Tour(std::vector<TourStop> stops, QWidget* window);
    int current() const { return current_; }
    int count() const { return int(stops_.size()); }
    void goTo(int stop);  // past the last: ends
    void end();
    QRect highlighted() const { return hole_; }

Q_SIGNALS:
    void ended();

protected:
    void paintEvent(QPaintEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool focusNextPrevChild(bool next) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void place();
    std::vector<TourStop> stops_;
    QPointer<QWidget> focusBefore_;
    int current_ = -1;
    QRect hole_;
    QFrame* bubble_;
    QLabel *title_, *text_, *count_;
    QPushButton *back_, *next_, *end_;
};

}  // namespace owq
