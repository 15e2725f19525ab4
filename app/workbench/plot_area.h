// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>
#include <vector>

#include "widgets/plot/plot_group.h"

class QComboBox;
class QLabel;

namespace owq {

/// The four linked plots in the middle of the window, with what they have in common above them.
class PlotArea : public QWidget {
    Q_OBJECT
public:
    explicit PlotArea(QWidget* parent = nullptr);
    void setCurves(const std::vector<LayerCurvesPtr>& curves);
    const std::vector<LayerCurvesPtr>& curves() const { return curves_; }
    PlotGroup& group() { return *group_; }

Q_SIGNALS:
    void columnSelected(const QString& layer, int column);
    void figureRequested(owq::Plot* plot);
    void failed(const QString& message);

private:
    QWidget* makeBar();
    std::vector<LayerCurvesPtr> curves_;
    PlotGroup* group_;
    QComboBox* mode_;
    QLabel* selection_;
};

}  // namespace owq
