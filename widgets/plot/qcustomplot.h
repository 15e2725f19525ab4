// SPDX-License-Identifier: GPL-3.0-or-later
// The only door to QCustomPlot. Its header is written with Qt's lower-case keywords, which QT_NO_KEYWORDS takes away from all our
// code: they are lent to it here and taken back.
#pragma once
#pragma push_macro("signals")
#pragma push_macro("slots")
#pragma push_macro("emit")
#pragma push_macro("foreach")
#define signals Q_SIGNALS
#define slots Q_SLOTS
#define emit
#ifndef foreach
#define foreach Q_FOREACH
#endif
#include <qcustomplot.h>
#pragma pop_macro("foreach")
#pragma pop_macro("emit")
#pragma pop_macro("slots")
#pragma pop_macro("signals")
