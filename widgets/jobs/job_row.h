// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>

namespace owq {

/// One job as the jobs list shows it.
struct JobRow {
    enum class State { queued, running, stopping, done, failed, cancelled };
    quint64 id = 0;
    QString title;  ///< "Quantize sample-llama: OWQ, 3.05 bits"
    State state = State::queued;
    QString phase, item;
    double fraction = 0;            ///< 0…1
    double elapsed = 0, left = -1;  ///< seconds; left below 0: unknown
    QString outcome;                ///< one line when it is over
};

}  // namespace owq
