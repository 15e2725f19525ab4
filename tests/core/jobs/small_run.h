// SPDX-License-Identifier: Apache-2.0
// A quantization of a bundled model that takes about a second.
#pragma once
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "core/base/error.h"
#include "core/jobs/quantize.h"

namespace owq {

inline QuantizeOptions smallRun(const std::string& sample, const std::filesystem::path& out) {
    QuantizeOptions o;
    o.model = std::string(OWQ_SAMPLE) + "/" + sample;
    o.out = out;
    o.calibration.text = OWQ_SAMPLE "/calibration.txt";
    o.calibration.samples = 6;
    o.calibration.sequenceLength = 128;
    o.recipe.targetBits = 3.05;
    return o;
}

inline QuantizeResult run(const QuantizeOptions& options, std::stop_token stop = {}) {
    Progress progress;
    return quantize(options, progress, stop);
}

inline std::string messageOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

}  // namespace owq
