// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/calibrate.h"

#include <chrono>

#include "core/jobs/run_description.h"
#include "core/pipeline/quantize_model.h"
#include "core/store/run_directory.h"
#include "core/store/statistics.h"

namespace owq {

CalibrateResult calibrate(const CalibrateOptions& options, Progress& progress, std::stop_token stop) {
    const auto start = std::chrono::steady_clock::now();
    PipelineInput input;
    input.model = ModelSource::open(options.model);
    if (input.model->kind() != ModelKind::checkpoint)
        throw Error("is already quantized", options.model.string(), "Open the original checkpoint to calibrate");
    input.recipe = options.recipe;
    input.plan = planBudget(input.model->info(), input.recipe);
    progress.setSpan(0, 0.02);
    progress.report("Reading the calibration text", "", 0);
    const TokenWindows windows = loadCalibration(options.calibration, *input.model);
    input.windows = &windows;

    std::unique_ptr<RunDirectory> directory;
    if (!options.out.empty()) {
        const Json description = describeRun("analysis", options.model, *input.model, input.recipe, input.plan, &options.calibration,
                                             &windows, options.out, progress, stop);
        directory = RunDirectory::open(options.out, description,
                                       options.force ? RunDirectory::IfThere::replace : RunDirectory::IfThere::refuse,
                                       input.model->info().dtype);
    }

    CalibrateResult result;
    result.tokens = int64_t(windows.ids.size());
    result.warnings = windows.warnings;
    progress.setSpan(0.02, 0.98);
    analyzeModel(
        input,
        [&](const LinearInfo& linear, LinearStatistics statistics, std::vector<int32_t> weak) {
            LayerReport report;
            report.linear = linear;
            report.bits = input.plan.find(linear.name)->bits;
            report.weakColumns = std::move(weak);
            report.statistics = std::move(statistics);
            if (options.onLayer) options.onLayer(report);
            result.layers.push_back(std::move(report));
        },
        progress, stop);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (directory) {
        progress.setSpan(0.98, 1);
        progress.report("Writing the statistics", "", 0);
        StatisticsFile file;
        file.model = options.model.filename().string();
        file.family = input.model->info().family;
        file.recipe = toJson(input.recipe);
        for (const LayerReport& l : result.layers)
            file.layers.push_back({l.linear.name, l.linear.rows, l.linear.columns, l.bits, 0.0, l.weakColumns, l.statistics});
        directory->finish(file, toJson(result));
    }
    progress.setSpan(0, 1);
    progress.report("Analyzed", "", 1);
    return result;
}

Json toJson(const CalibrateResult& r) {
    Json layers = Json::array();
    for (const LayerReport& l : r.layers) {
        double total = 0;
        for (float s : l.statistics.sensitivity) total += s;
        layers.push_back({{"name", l.linear.name}, {"rows", l.linear.rows}, {"columns", l.linear.columns}, {"bits", l.bits},
                          {"weak_columns", l.weakColumns}, {"predicted_error", total / 2}});
    }
    return {{"kind", "analysis"}, {"tokens", r.tokens}, {"seconds", r.seconds}, {"warnings", r.warnings}, {"layers", std::move(layers)}};
}

}  // namespace owq
