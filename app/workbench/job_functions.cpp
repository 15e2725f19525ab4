// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/job_functions.h"

#include <algorithm>

#include "core/jobs/threads.h"
#include "core/model/task_source.h"
#include "core/pack/packed_model.h"

namespace owq {
namespace {

/// The job, with all memory for itself: models kept for the next prompt go.
template <class Result, class Options>
JobFunctions::Job<Result, Options> alone(const std::shared_ptr<GenerateSession>& session, Result (*job)(const Options&, Progress&, std::stop_token)) {
    return [session, job](const Options& options, Progress& progress, std::stop_token stop) {
        session->close();
        return job(options, progress, stop);
    };
}

void checkTask(const std::filesystem::path& model, const std::filesystem::path& file) {
    Task task = readTask(file);
    const std::string first = task.linears.begin()->first;
    withTask(ModelSource::open(model), std::move(task), file)->linear(first);
}

bool hasWeakColumns(const std::filesystem::path& model) {
    if (identify(model) != ModelKind::packed) return false;
    const auto packed = PackedModel::open(model);
    return std::any_of(packed->linears().begin(), packed->linears().end(), [](const LinearShape& linear) { return linear.weakColumns > 0; });
}

}  // namespace

JobFunctions realJobs() {
    JobFunctions jobs;
    const auto session = std::make_shared<GenerateSession>();  // of the computing thread alone
    jobs.setThreads = owq::setThreads;
    jobs.inspect = owq::inspect;
    jobs.previewCalibration = owq::previewCalibration;
    jobs.calibrate = alone(session, owq::calibrate);
    jobs.quantize = [session](const QuantizeOptions& options, Progress& progress, std::stop_token stop) {
        if (!options.dryRun) session->close();  // a forecast takes no memory, and other threads ask for it
        return owq::quantize(options, progress, stop);
    };
    jobs.evaluate = alone(session, owq::evaluate);
    jobs.ask = alone(session, owq::evaluateTasks);
    jobs.compare = owq::compare;
    jobs.evaluationsOf = owq::evaluationsOf;
    jobs.keepEvaluation = owq::keepEvaluation;
    jobs.exportModel = alone(session, owq::exportModel);
    jobs.generate = [session](const GenerateOptions& options, Progress& progress, std::stop_token stop) { return session->generate(options, progress, stop); };
    jobs.findTasks = owq::tasksBeside;
    jobs.checkTask = checkTask;
    jobs.hasWeakColumns = hasWeakColumns;
    jobs.tune = alone(session, owq::tune);
    jobs.lesson = alone(session, owq::lesson);
    jobs.openRun = owq::openRun;
    jobs.readRunLayer = owq::readRunLayer;
    jobs.readRunLayers = owq::readRunLayers;
    return jobs;
}

}  // namespace owq
