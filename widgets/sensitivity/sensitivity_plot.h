// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/plot/plot.h"

namespace owq {

class SensitivityPlot : public Plot {
    Q_OBJECT
public:
    explicit SensitivityPlot(QWidget* parent = nullptr);

protected:
    ContentMaker contentMaker() const override;
};

}  // namespace owq
