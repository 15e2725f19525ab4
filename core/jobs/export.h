// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"

namespace owq {

struct ExportOptions {
    std::filesystem::path run;   ///< finished run directory
    std::string format = "owq";  ///< owq, owq-pth, dense
    std::filesystem::path out;   ///< folder (owq, dense) or file (owq-pth)
    bool force = false;          ///< replace what is there
};

struct ExportResult {
    std::filesystem::path out;
    std::string format;
    uint64_t bytes = 0;          ///< on disk
    std::vector<std::string> verification;  ///< what was compared after reloading, for a person
    std::string loadableBy;
    double seconds = 0;
};

/// Writes to a temporary name, reloads and compares with the run, then renames. Free space is checked first.
ExportResult exportModel(const ExportOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const ExportResult& result);

}  // namespace owq
