// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stop_token>
#include <thread>

namespace owq::cli {

/// Ctrl+C (or a termination request) asks the job to stop; a second one ends the program at once. To be made in main
/// before any other thread, which then inherits that these signals are only taken here.
class StopOnSignal {
public:
    StopOnSignal();
    ~StopOnSignal();
    StopOnSignal(const StopOnSignal&) = delete;
    StopOnSignal& operator=(const StopOnSignal&) = delete;
    std::stop_token token() const { return source_.get_token(); }

private:
    std::stop_source source_;
    std::jthread watcher_;
};

}  // namespace owq::cli
