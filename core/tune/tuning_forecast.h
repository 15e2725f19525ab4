// SPDX-License-Identifier: Apache-2.0
// What a tuning takes of memory, from shapes and what the loaded model holds.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model_info.h"

namespace owq {

struct TuningForecast {
    struct Part {
        std::string name;  ///< for a person
        uint64_t bytes = 0;
    };
    std::vector<Part> parts;

    /// All parts: they are there together.
    uint64_t bytes() const {
        uint64_t sum = 0;
        for (const Part& part : parts) sum += part.bytes;
        return sum;
    }
};

/// packed: bytes of the blocks' weights in memory. parameters: weak weights. rows examples of `length` tokens are computed together.
/// halfInputs as in TuningSettings.
TuningForecast forecastTuning(const ModelInfo& model, uint64_t packed, int64_t parameters, int64_t rows, int64_t length, bool halfInputs);

}  // namespace owq
