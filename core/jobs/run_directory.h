// SPDX-License-Identifier: Apache-2.0
// Reading a run directory or an analysis folder back, for the window, figures and comparison.
#pragma once
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/jobs/layer_report.h"
#include "core/jobs/quantize.h"

namespace owq {

struct RunSummary {
    std::filesystem::path directory, model;
    bool finished = false;
    int done = 0, total = 0;
    bool analysis = false;       ///< made by calibrate: nothing is quantized
    Recipe recipe;
    QuantizeResult result;       ///< of result.json when finished; layers without statistics
    std::vector<std::string> layerNames;  ///< finished ones, in the order of the model
};

/// Throws Error when it is no run directory or is damaged.
RunSummary openRun(const std::filesystem::path& directory);
/// One linear with its statistics; nothing is read of the others.
LayerReport readRunLayer(const std::filesystem::path& directory, const std::string& layer);
/// All finished ones in the order of RunSummary::layerNames; the statistics of an analysis are read once.
std::vector<LayerReport> readRunLayers(const std::filesystem::path& directory, std::stop_token stop);

}  // namespace owq
