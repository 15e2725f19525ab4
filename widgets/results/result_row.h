// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QMap>
#include <QString>
#include <limits>

namespace owq {

/// What was measured of a model, by what it was measured on: "heldout.txt · plain · 512", "choice.jsonl · 2 shots".
struct Measurements {
    QMap<QString, double> perplexity;
    QMap<QString, double> kl, klError, top1;         ///< nats per token against the original and its standard error, share of 1
    QMap<QString, double> accuracy, accuracyError;   ///< share of right answers
    QMap<QString, double> byLength, byLengthError;   ///< the same by log-likelihood over characters
    QMap<QString, QString> details;                  ///< what else was found, for a person, in lines

    void insert(const Measurements& more);  ///< replaces what both have
};

struct MeasuredNumbers {
    const char* name;  ///< in files and settings
    QMap<QString, double> Measurements::*values;
};
inline constexpr MeasuredNumbers kMeasuredNumbers[] = {
    {"perplexity", &Measurements::perplexity}, {"kl", &Measurements::kl},
    {"kl_error", &Measurements::klError},      {"top1", &Measurements::top1},
    {"accuracy", &Measurements::accuracy},     {"accuracy_error", &Measurements::accuracyError},
    {"by_length", &Measurements::byLength},    {"by_length_error", &Measurements::byLengthError}};

inline void Measurements::insert(const Measurements& more) {
    for (const MeasuredNumbers& numbers : kMeasuredNumbers) (this->*numbers.values).insert(more.*numbers.values);
    details.insert(more.details);
}

/// One model or run of the results table. Numbers not known are NaN.
struct ResultRow : Measurements {
    static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

    QString path;  ///< of the model or run directory; the row's identity
    QString name;  ///< the person's own, or the folder's
    bool original = false;
    bool finished = true;
    QString state;  ///< "finished", "12 of 42 layers"
    QString method;
    double targetBits = kUnknown, paperBits = kUnknown, storedBits = kUnknown;
    double bytes = kUnknown, seconds = kUnknown, memory = kUnknown;
    QString note;                      ///< the person's own
};

}  // namespace owq
