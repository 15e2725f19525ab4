// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "core/jobs/calibrate.h"

namespace owq::cli {

/// --calibration, --calibration-tokens, --samples, --sequence-length, --seed.
struct CalibrationArguments {
    CalibrationOptions options;
    std::string sequenceLength;  ///< a number or "model"

    void add(CLI::App& command);
    /// Throws UsageError when neither or both sources are given and they are `needed`.
    CalibrationOptions resolve(bool needed) const;
};

}  // namespace owq::cli
