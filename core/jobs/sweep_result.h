// SPDX-License-Identifier: Apache-2.0
// The journal of a sweep: one line of JSON for each perplexity as it was measured. Internal to core/jobs.
#pragma once
#include <map>

#include "core/jobs/sweep.h"

namespace owq {

using Measurements = std::map<std::string, SweepPerplexity>;  ///< by key
/// Lines that are cut short or foreign do not count; a file that is not there is empty.
Measurements readMeasurements(const std::filesystem::path& file);
void appendMeasurement(const std::filesystem::path& file, const SweepPerplexity& measured);

}  // namespace owq
