// SPDX-License-Identifier: Apache-2.0
#include "core/base/progress.h"

#include <algorithm>

#include "core/base/error.h"

namespace owq {

Progress::Progress(Listener listener)
    : listener_(std::move(listener)), start_(std::chrono::steady_clock::now()) {}

void Progress::setSpan(double from, double to) {
    from_ = from;
    to_ = to;
}

void Progress::report(const std::string& phase, const std::string& item, double fraction) {
    if (!listener_) return;
    ProgressUpdate update{phase, item, from_ + (to_ - from_) * std::clamp(fraction, 0.0, 1.0)};
    update.secondsElapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    // Too early an estimate misleads more than none.
    if (update.fraction > 0.01 && update.secondsElapsed > 1)
        update.secondsLeft = update.secondsElapsed * (1 - update.fraction) / update.fraction;
    listener_(update);
}

void checkStop(const std::stop_token& stop) {
    if (stop.stop_requested()) throw Cancelled();
}

}  // namespace owq
