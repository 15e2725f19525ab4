// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/pace.h"

#include <QSettings>

#include "app/workbench/settings.h"

namespace owq::pace {
namespace {

struct Work {
    double weights = 0, loop = 0;
};

Work workOf(const ModelInfo& model) {
    Work work;
    for (const LinearInfo& l : model.linears) {
        work.weights += double(l.rows) * double(l.columns);
        work.loop += double(l.rows) * double(l.columns) * double(l.columns);
    }
    return work;
}

QString key(const Recipe& recipe, DeviceKind device) {
    const std::string name = methodName(recipe.method) + "-" + recipe.preset + "-" + recipe.allocation + "-" + deviceKindName(device);
    return QStringLiteral("%1/%2").arg(QLatin1String(keys::pace), QString::fromStdString(name));
}

}  // namespace

void remember(const ModelInfo& model, const QuantizeResult& result) {
    const Work work = workOf(model);
    const double passes = result.seconds.forward + result.seconds.hessian;
    const double rest = result.seconds.total - passes;
    if (!(result.seconds.total > 0) || work.loop <= 0) return;
    const double perPass = result.tokens > 0 ? passes / (double(result.tokens) * work.weights) : 0;
    QSettings().setValue(key(result.recipe, result.device), QVariantList{perPass, rest / work.loop});
}

std::optional<double> forecast(const ModelInfo& model, const Recipe& recipe, DeviceKind device, double tokens) {
    const QVariantList kept = QSettings().value(key(recipe, device)).toList();
    if (kept.size() != 2) return {};
    const Work work = workOf(model);
    return kept[0].toDouble() * tokens * work.weights + kept[1].toDouble() * work.loop;
}

}  // namespace owq::pace
