// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <limits>

namespace owq {

/// One linear of two runs, A and B. Numbers not known are NaN; a linear that a run keeps has bits 16 there.
struct CompareRow {
    static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

    QString name;
    int bitsA = 16, bitsB = 16;
    int weakA = 0, weakB = 0, sharedWeak = 0;
    double errorA = kUnknown, errorB = kUnknown;

    double ratio() const { return errorB / errorA; }  ///< above 1: B is worse
};

}  // namespace owq
