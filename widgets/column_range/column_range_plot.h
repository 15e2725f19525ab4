// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/plot/plot.h"

namespace owq {

class ColumnRangePlot : public Plot {
    Q_OBJECT
public:
    explicit ColumnRangePlot(QWidget* parent = nullptr);

protected:
    ContentMaker contentMaker() const override;
};

}  // namespace owq
