// SPDX-License-Identifier: Apache-2.0
// What a run will take of memory, from shapes alone. Nothing in it grows with the number of blocks.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/pipeline/quantize_model.h"

namespace owq {

struct MemoryPhase {
    std::string name;    ///< for a person
    uint64_t bytes = 0;  ///< at its highest, all that is held meanwhile included, activations too
};

struct MemoryForecast {
    uint64_t activations = 0;  ///< of all calibration windows: the part that a scratch file can take
    std::vector<MemoryPhase> phases;
    bool scratch = false;  ///< the activations are kept in a file

    // Here, because the window shows a forecast and is not linked with what makes it.
    /// The first phase that takes the most; null without phases.
    const MemoryPhase* highest() const {
        const MemoryPhase* most = nullptr;
        for (const MemoryPhase& phase : phases)
            if (!most || phase.bytes > most->bytes) most = &phase;
        return most;
    }
    /// In memory at the highest point: without the activations where a file takes them.
    uint64_t peak() const {
        const MemoryPhase* most = highest();
        return most ? most->bytes - (scratch ? activations : 0) : 0;
    }
};

/// Whether a run carries the original model's activations beside the quantized one's.
bool correctsInputs(const Recipe& recipe);
/// Of all windows, in fp32, the original's too where inputs are corrected.
uint64_t activationBytes(const ModelInfo& model, const Recipe& recipe, int64_t windows, int64_t length);

/// windows of `length` tokens, none for rtn; `resident`: what the process holds before it begins; `threads`: that compute.
/// Keep in step with quantize_model.cpp, core/calibrate and core/quantize.
MemoryForecast forecastMemory(const ModelInfo& model, const Recipe& recipe, const BudgetPlan& plan, int64_t windows, int64_t length,
                              uint64_t resident, int threads);

}  // namespace owq
