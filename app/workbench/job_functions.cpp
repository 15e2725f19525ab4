// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/job_functions.h"

#include "core/jobs/threads.h"

namespace owq {

JobFunctions realJobs() {
    JobFunctions jobs;
    jobs.prepare = [] { setThreads(0); };
    jobs.inspect = owq::inspect;
    jobs.calibrate = owq::calibrate;
    jobs.quantize = owq::quantize;
    jobs.evaluate = owq::evaluate;
    jobs.ask = owq::evaluateTasks;
    jobs.compare = owq::compare;
    jobs.exportModel = owq::exportModel;
    jobs.generate = owq::generate;
    jobs.tune = owq::tune;
    jobs.lesson = owq::lesson;
    jobs.openRun = owq::openRun;
    jobs.readRunLayer = owq::readRunLayer;
    jobs.readRunLayers = owq::readRunLayers;
    return jobs;
}

}  // namespace owq
