// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/measured.h"

#include <QObject>
#include <algorithm>
#include <cmath>

#include "widgets/common/format.h"

namespace owq {
namespace {

QString fixed(double value, int decimals) { return QString::number(value, 'f', decimals); }

/// "62.50 ± 4.33 %".
QString percentText(const WindowMean& m) {
    return fixed(100 * m.mean, 2) + (m.standardError ? QStringLiteral(" ± ") + fixed(100 * *m.standardError, 2) : QString()) + QStringLiteral(" %");
}

/// As many digits as the error leaves certain.
QString meanText(double mean, std::optional<double> error) {
    if (!error) return numberText(mean);
    const int decimals = *error > 0 ? std::max(0, 1 - int(std::floor(std::log10(*error)))) : 4;
    if (decimals > 6) return numberText(mean, 3) + QStringLiteral(" ± ") + numberText(*error, 2);
    return fixed(mean, decimals) + QStringLiteral(" ± ") + fixed(*error, decimals);
}

double at(const std::vector<Quantile>& quantiles, double share) {
    for (const Quantile& q : quantiles)
        if (q.share == share) return q.value;
    return std::nan("");
}

/// Over tasks, each counting the same; a single one has its standard error.
std::optional<WindowMean> byLength(const EvaluateTasksResult& result) {
    if (result.tasks.empty()) return std::nullopt;
    WindowMean mean;
    for (const TaskResult& task : result.tasks) {
        if (!task.normalized) return std::nullopt;
        mean.mean += task.normalized->mean / double(result.tasks.size());
    }
    if (result.tasks.size() == 1) mean.standardError = result.tasks.front().normalized->standardError;
    return mean;
}

WindowMean accuracy(const EvaluateTasksResult& result) {
    WindowMean mean{result.meanAccuracy, {}};
    if (result.tasks.size() == 1) mean.standardError = result.tasks.front().accuracy.standardError;
    return mean;
}

QString line(const TaskResult& task) {
    QString text = QObject::tr("%1: %n questions, %2 shots: %3", nullptr, int(task.questions))
                       .arg(QString::fromStdString(task.name), QString::number(task.shots), percentText(task.accuracy));
    if (task.normalized) text += QObject::tr(", by length %1").arg(percentText(*task.normalized));
    if (task.perplexity) text += QObject::tr(", perplexity %1").arg(fixed(*task.perplexity, 3));
    return text;
}

void put(const WindowMean& mean, const QString& key, QMap<QString, double>& values, QMap<QString, double>& errors) {
    values.insert(key, mean.mean);
    if (mean.standardError) errors.insert(key, *mean.standardError);
}

}  // namespace

QStringList detailsOf(const DivergenceResult& d) {
    const double ratio = std::exp(d.logPerplexityDifference.mean);
    std::optional<double> error = d.logPerplexityDifference.standardError;
    if (error) *error *= ratio;
    return {QObject::tr("KL divergence %1 nats per token").arg(meanText(d.kl.mean, d.kl.standardError)),
            QObject::tr("top-1 agreement %1 %").arg(fixed(100 * d.top1Agreement, 2)),
            QObject::tr("perplexity ratio %1").arg(meanText(ratio, error)),
            QObject::tr("KL of single tokens: median %1, 99 % below %2, largest %3")
                .arg(numberText(at(d.klQuantiles, 0.5), 3), numberText(at(d.klQuantiles, 0.99), 3), numberText(at(d.klQuantiles, 1), 3)),
            QObject::tr("right token: probability changes by %1 % (rms), the worst hundredth loses %2 % or more")
                .arg(fixed(100 * d.rmsProbabilityChange, 2), fixed(-100 * at(d.probabilityChange, 0.01), 2))};
}

QString shareText(const EvaluateTasksResult& result) {
    const std::optional<WindowMean> normalized = byLength(result);
    return percentText(accuracy(result)) + (normalized ? QObject::tr(", by length %1").arg(percentText(*normalized)) : QString());
}

Measurements measurementsOf(const EvaluateResult& result, const QString& text) {
    Measurements m;
    m.perplexity.insert(text, result.perplexity);
    if (!result.divergence) return m;
    put(result.divergence->kl, text, m.kl, m.klError);
    m.top1.insert(text, result.divergence->top1Agreement);
    m.details.insert(text, detailsOf(*result.divergence).join(QLatin1Char('\n')));
    return m;
}

Measurements measurementsOf(const EvaluateTasksResult& result, const QString& questions) {
    Measurements m;
    put(accuracy(result), questions, m.accuracy, m.accuracyError);
    if (const auto normalized = byLength(result)) put(*normalized, questions, m.byLength, m.byLengthError);
    QStringList lines;
    for (const TaskResult& task : result.tasks) lines << line(task);
    m.details.insert(questions, lines.join(QLatin1Char('\n')));
    return m;
}

}  // namespace owq
