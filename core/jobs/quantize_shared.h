// SPDX-License-Identifier: Apache-2.0
// The quantize job for many runs over one model. Internal to core/jobs.
#pragma once
#include "core/jobs/quantize.h"
#include "core/text/corpus.h"

namespace owq {

/// What the caller already has; null: found as quantize() does.
struct SharedInputs {
    const TokenWindows* windows = nullptr;  ///< of loadCalibration with the run's calibration options
    const Json* modelFiles = nullptr;       ///< of hashModel
};

QuantizeResult quantizeShared(const QuantizeOptions& options, const SharedInputs& shared, Progress& progress, std::stop_token stop);

}  // namespace owq
