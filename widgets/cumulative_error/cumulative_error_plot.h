// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/cumulative_error/cumulative_error_content.h"
#include "widgets/plot/plot.h"

namespace owq {

class CumulativeErrorPlot : public Plot {
    Q_OBJECT
public:
    explicit CumulativeErrorPlot(QWidget* parent = nullptr);

    ErrorScale scale() const { return scale_; }
    void setScale(ErrorScale scale);

protected:
    ContentMaker contentMaker() const override;

private:
    ErrorScale scale_ = ErrorScale::Absolute;
    QAction* share_;
};

}  // namespace owq
