// SPDX-License-Identifier: GPL-3.0-or-later
// Every number that a person reads is written by one of these.
#pragma once
#include <QString>

namespace owq {

/// "1.3 GB", powers of 1000.
QString bytesText(double bytes);
/// "12 s", "3 min 20 s", "1 h 05 min".
QString durationText(double seconds);
/// Four significant digits, "1.234e-07" where plain digits would hide the size; "" for NaN.
QString numberText(double value, int digits = 4);
/// "6.92 M", for parameters.
QString countText(double count);

}  // namespace owq
