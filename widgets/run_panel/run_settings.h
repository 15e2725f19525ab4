// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>

namespace owq {

/// What a person set in the run panel, as plain values.
struct RunSettings {
    QString method = QStringLiteral("owq");  ///< owq, optq, rtn
    int bits = 3;
    double targetBits = 3.01;  ///< owq only
    QString preset = QStringLiteral("paper");  ///< recipe: paper or best
    QString grid;              ///< search, minmax, or empty: the method's own
    int groupSize = 0;
    bool actOrder = false, symmetric = false, trueSequential = false;
    // What follows is the recipe's own where it is negative or empty.
    double damping = -1;
    int refinePasses = -1;
    double inputCorrection = -1;
    QString allocation;          ///< paper or greedy
    bool storedScales = false;   ///< the recipe may turn it on as well
    QString metric = QStringLiteral("sensitivity");  ///< what ranks weak columns
    QString device = QStringLiteral("cpu");          ///< or cuda

    QString calibrationFile;  ///< text, JSON lines, or .safetensors with token ids
    int samples = 128;
    int sequenceLength = 0;  ///< 0: chosen from the model
    quint64 seed = 0;

    QString out;  ///< new run directory

    bool operator==(const RunSettings&) const = default;
};

}  // namespace owq
