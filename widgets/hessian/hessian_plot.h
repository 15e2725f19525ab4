// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/plot/plot.h"

namespace owq {

class HessianPlot : public Plot {
    Q_OBJECT
public:
    explicit HessianPlot(QWidget* parent = nullptr);

protected:
    PlotContent makeContent(std::span<const LayerCurvesPtr> curves, XMode mode) const override;
};

}  // namespace owq
