// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <QPointer>
#include <functional>

namespace owq {

class PlotArea;
class Tour;
class WindowLayout;

/// The guided tour through the panels. It needs a model in the window: where none is open, it waits for one.
class TourController : public QObject {
    Q_OBJECT
public:
    TourController(WindowLayout& layout, PlotArea& plots, QObject* parent);
    void start();
    /// Starts once openModel() has led to modelOpened().
    void startWith(const std::function<void()>& openModel);
    void modelOpened();
    void modelFailed() { waiting_ = false; }

private:
    WindowLayout& layout_;
    PlotArea& plots_;
    QPointer<Tour> tour_;
    bool waiting_ = false;
};

}  // namespace owq
