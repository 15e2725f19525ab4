// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/forecast_controller.h"

#include <QTimer>

#include "app/workbench/pace.h"

namespace owq {
namespace {
constexpr int kDelay = 300;  // ms after the last change
}

ForecastController::ForecastController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, RunPanel& run, BudgetPanel& budgetPanel,
                                       const BudgetController& budget, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), workspace_(workspace), run_(run), budgetPanel_(budgetPanel), budget_(budget), soon_(new QTimer(this)) {
    soon_->setSingleShot(true);
    soon_->setInterval(kDelay);
    connect(soon_, &QTimer::timeout, this, &ForecastController::forecast);
    connect(&run_, &RunPanel::changed, soon_, qOverload<>(&QTimer::start));
    connect(&budget_, &BudgetController::changed, soon_, qOverload<>(&QTimer::start));
    connect(&runner_, &JobRunner::computingChanged, soon_, qOverload<>(&QTimer::start));  // what is free changes, and the pace
}

void ForecastController::forecast() {
    if (!workspace_.isOpen() || runner_.computing()) return;
    const RunSettings settings = run_.settings();
    QuantizeOptions options;
    options.model = toPath(workspace_.path());
    options.plan = budget_.editedPlan();
    options.device = deviceKindFromName(settings.device.toStdString());
    options.calibration = calibrationOf(settings);
    options.calibration.tokens.clear();  // a plan needs their number, which the settings tell for texts
    const Recipe wanted = recipeOf(settings, options.plan.has_value());
    options.recipe = wanted;
    options.dryRun = options.withoutAllocation = true;  // a greedy plan would be made by computing
    const QString model = workspace_.path();
    const auto header = workspace_.modelPtr();
    runner_.submit<QuantizeResult>(
        {tr("Forecast"), JobRunner::Lane::reading, QStringLiteral("forecast"), false},
        [options, jobs = jobs_](JobRunner::Context& context) { return jobs.quantize(options, context.progress, context.stop); },
        [this, model, header, wanted, options](const QuantizeResult& plan) {
            if (workspace_.path() != model) return;
            RunForecast forecast;
            const MemoryForecast& memory = plan.deviceForecast.phases.empty() ? plan.forecast : plan.deviceForecast;
            if (const MemoryPhase* most = memory.highest()) {
                forecast.memoryBytes = double(memory.peak());
                forecast.memoryWhen = QString::fromStdString(most->name);
            }
            int64_t length = options.calibration.sequenceLength;
            if (length <= 0) length = std::min<int64_t>(header->info.maxPositions, 2048);
            const double tokens = wanted.method == Method::rtn ? 0 : double(options.calibration.samples) * double(length);
            forecast.seconds = pace::forecast(header->info, wanted, options.device, tokens).value_or(BudgetRow::kUnknown);
            show(forecast);
        },
        [this](const Failure& failure) {
            RunForecast forecast;
            forecast.problem = failure.remedy.isEmpty() ? failure.happened : failure.happened + QStringLiteral(". ") + failure.remedy;
            show(forecast);
        });
}

void ForecastController::show(const RunForecast& forecast) {
    run_.setForecast(forecast);
    budgetPanel_.setForecast(forecast);
}

}  // namespace owq
