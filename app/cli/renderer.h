// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace owq::cli {

/// UsageError unless it ends in .pdf, .svg or .png.
void checkFigureName(const std::filesystem::path& out);

/// Has the window program draw `kind` of `subject` (a run, an analysis, a result file) to `out`, with further options of its --render-figure.
/// What it has to say goes to our standard error output. Error when it is not there or fails; Cancelled.
void renderFigure(const std::filesystem::path& subject, const std::string& kind, const std::filesystem::path& out, const std::vector<std::string>& more,
                  const std::stop_token& stop);

}  // namespace owq::cli
