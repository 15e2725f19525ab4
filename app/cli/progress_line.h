// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>

#include "core/base/progress.h"

namespace owq::cli {

/// Shows a job's reports on the standard error output: a bar that is redrawn on a terminal, plain lines now and then
/// elsewhere, nothing when quiet.
class ProgressLine {
public:
    ProgressLine(bool quiet, bool terminal);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const ProgressUpdate& update);
    /// Wipes the bar, so that other text can be printed; the next report draws it again.
    void clear();
    /// Nothing more is shown.
    void finish();

private:
    using Clock = std::chrono::steady_clock;
    void drawBar(const ProgressUpdate& update);
    void printLine(const ProgressUpdate& update);

    bool silent_, terminal_, drawn_ = false;
    Clock::time_point last_{};
    std::string lastPhase_;
    double lastFraction_ = -1;
};

/// "Quantizing layers.3.fc1  42 %  0:12 left", cut to `width` characters; with a bar when there is room.
std::string progressText(const ProgressUpdate& update, size_t width);

}  // namespace owq::cli
