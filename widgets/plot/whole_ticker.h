// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>

#include "widgets/plot/qcustomplot.h"

namespace owq {

// For channels and steps, which are whole numbers: a tick never falls between two.
class WholeTicker : public QCPAxisTicker {
protected:
    double getTickStep(const QCPRange& range) override {
        const double step = std::max(1.0, QCPAxisTicker::getTickStep(range));
        return step == 2.5 ? 2 : step;  // the only step above 1 that is none
    }
    int getSubTickCount(double step) override { return step <= 2 ? 0 : QCPAxisTicker::getSubTickCount(step); }
};

}  // namespace owq
