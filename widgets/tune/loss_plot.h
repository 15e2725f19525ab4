// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>
#include <limits>
#include <optional>
#include <vector>

class QCustomPlot;
class QCPGraph;

namespace owq {

// One number of a tuning's course.
struct LossPoint {
    int step = 0;                      // of the optimizer; a validation stands after it, 0 before the first
    double loss = 0;                   // mean of a scored token, nats
    std::optional<double> validation;  // the same on what is held out; loss means nothing then
};

// The course of a tuning: the loss of each step, its running mean, and the validations. Points come one by one while it runs.
class LossPlot : public QWidget {
    Q_OBJECT
public:
    explicit LossPlot(QWidget* parent = nullptr);

    void clear();
    void setPlanned(int steps);  // the width of the x axis from the start; 0: as far as the points go
    void add(const LossPoint& point);
    const std::vector<LossPoint>& points() const { return points_; }
    QString tableText() const;  // step, loss, validation; tab-separated, with a header

protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;  // Ctrl+C copies the table

private:
    void applyTheme();
    void fit();

    QCustomPlot* plot_;
    QCPGraph *steps_, *mean_, *validations_;
    std::vector<LossPoint> points_;
    double running_ = 0;
    double least_ = std::numeric_limits<double>::infinity(), most_ = -std::numeric_limits<double>::infinity();  // of all points
    int counted_ = 0, planned_ = 0, last_ = 0;
};

}  // namespace owq
