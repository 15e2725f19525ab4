// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/model/model_info.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

/// What a person sees of one linear: of an analysis (weak columns proposed, nothing quantized) or of a finished run.
struct LayerReport {
    LinearInfo linear;
    bool quantized = false;
    int bits = 16;
    std::vector<int32_t> weakColumns;  ///< ascending
    double error = 0;                  ///< OPTQ loss; 0 when not quantized
    double damping = 0;
    LinearStatistics statistics;
    std::vector<std::string> notes;
};

}  // namespace owq
