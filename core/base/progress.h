// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

namespace owq {

/// One report of a running job.
struct ProgressUpdate {
    std::string phase;          ///< what is being done, for a person: "Quantizing"
    std::string item;           ///< layer or file under work, may be empty
    double fraction = 0;        ///< 0…1 of the whole job
    double secondsElapsed = 0;  ///< since the Progress was made or restarted
    double secondsLeft = -1;    ///< estimate; below 0 while unknown
};

/// Carries reports from a job (any one thread) to whoever shows them. The listener runs in the job's thread.
class Progress {
public:
    using Listener = std::function<void(const ProgressUpdate&)>;
    Progress() : Progress(nullptr) {}
    explicit Progress(Listener listener);

    /// Maps the fractions reported from now on into [from, to] of the whole, for a job made of several parts.
    void setSpan(double from, double to);
    /// fraction is of the current span, 0…1.
    void report(const std::string& phase, const std::string& item, double fraction);

private:
    Listener listener_;
    std::chrono::steady_clock::time_point start_;
    double from_ = 0, to_ = 1;
};

/// Throws Cancelled when a stop was requested. Call it at least every 0.3 s of work.
void checkStop(const std::stop_token& stop);

}  // namespace owq
