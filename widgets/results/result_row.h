// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QMap>
#include <QString>
#include <limits>

namespace owq {

/// One model or run of the results table. Numbers not known are NaN.
struct ResultRow {
    static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

    QString path;  ///< of the model or run directory; the row's identity
    QString name;  ///< the person's own, or the folder's
    bool original = false;
    bool finished = true;
    QString state;  ///< "finished", "12 of 42 layers"
    QString method;
    double targetBits = kUnknown, paperBits = kUnknown, storedBits = kUnknown;
    double bytes = kUnknown, seconds = kUnknown, memory = kUnknown;
    QMap<QString, double> perplexity;  ///< "heldout.txt · plain · 512" to its value
    QMap<QString, double> kl, top1;    ///< the same texts: nats per token against the original, share of 1
    QMap<QString, double> accuracy;    ///< "choice.jsonl · 2 shots" to the share of right answers
    QString note;                      ///< the person's own
};

}  // namespace owq
