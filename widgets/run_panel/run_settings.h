// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>

namespace owq {

/// What a person set in the run panel, as plain values.
struct RunSettings {
    QString method = QStringLiteral("owq");  ///< owq, optq, rtn
    int bits = 3;
    double targetBits = 3.01;  ///< owq only
    QString grid;              ///< search, minmax, or empty: the method's own
    int groupSize = 0;
    bool actOrder = false, symmetric = false, trueSequential = false;
    double damping = 0.01;

    QString calibrationFile;  ///< text, JSON lines, or .safetensors with token ids
    int samples = 128;
    int sequenceLength = 0;  ///< 0: chosen from the model
    quint64 seed = 0;

    QString out;  ///< new run directory

    bool operator==(const RunSettings&) const = default;
};

}  // namespace owq
