// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/budget/budget.h"

namespace owq {

struct ExportOptions {
    std::filesystem::path run;   ///< finished run directory
    std::string format = "owq";  ///< owq, owq-pth, dense, gptq
    std::string layout = "latency";  ///< of owq: latency (weak columns keep a slot in the codes) or storage (they are left out)
    std::filesystem::path task;  ///< weak columns to write in place of the run's own, empty: none
    std::filesystem::path out;   ///< folder (owq, dense, gptq) or file (owq-pth)
    bool force = false;          ///< replace what is there
};

struct ExportResult {
    std::filesystem::path out;
    std::string format, layout;
    uint64_t bytes = 0;          ///< on disk
    uint64_t packedBytes = 0;    ///< of the packed linears' tensors in the file; dense: 0
    EffectiveBits effectiveBits; ///< stored: of packedBytes; dense: all zero
    std::vector<std::string> verification;  ///< what was compared after reloading, for a person
    std::string loadableBy;
    double seconds = 0;
};

/// Writes to a temporary name, reloads and compares with the run, then renames. Free space is checked first.
ExportResult exportModel(const ExportOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const ExportResult& result);

}  // namespace owq
