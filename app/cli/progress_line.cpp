// SPDX-License-Identifier: Apache-2.0
#include "app/cli/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "app/cli/format.h"

namespace owq::cli {
namespace {

size_t terminalWidth() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::string percent(double fraction) {
    const std::string digits = std::to_string(int(std::floor(fraction * 100 + 1e-9)));
    return std::string(digits.size() < 3 ? 3 - digits.size() : 0, ' ') + digits + " %";
}

}  // namespace

std::string progressText(const ProgressUpdate& update, size_t width) {
    std::string left = update.phase + (update.item.empty() ? "" : " " + update.item);
    std::string right = percent(update.fraction);
    if (update.secondsLeft >= 0) right += "  " + durationText(update.secondsLeft) + " left";
    constexpr size_t kBar = 24;
    if (width >= 70) {
        const auto full = size_t(std::clamp(update.fraction, 0.0, 1.0) * double(kBar));
        right = "[" + std::string(full, '#') + std::string(kBar - full, '.') + "] " + right;
    }
    const size_t room = width > right.size() + 2 ? width - right.size() - 2 : 0;
    if (left.size() > room) left = left.substr(0, room);
    return left + "  " + right;
}

ProgressLine::ProgressLine(bool quiet, bool terminal) : silent_(quiet), terminal_(terminal) {}
ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(const ProgressUpdate& update) {
    if (silent_) return;
    if (terminal_)
        drawBar(update);
    else
        printLine(update);
}

void ProgressLine::drawBar(const ProgressUpdate& update) {
    const auto now = Clock::now();
    if (drawn_ && now - last_ < std::chrono::milliseconds(100) && update.fraction < 1) return;
    last_ = now;
    drawn_ = true;
    std::cerr << "\r\x1b[K" << progressText(update, terminalWidth() - 1) << std::flush;
}

// In a log, one line for each phase, each tenth of the way, and each half minute.
void ProgressLine::printLine(const ProgressUpdate& update) {
    const auto now = Clock::now();
    const bool due = update.phase != lastPhase_ || update.fraction >= lastFraction_ + 0.1 ||
                     now - last_ >= std::chrono::seconds(30);
    if (!due) return;
    last_ = now;
    lastPhase_ = update.phase;
    lastFraction_ = update.fraction;
    std::cerr << progressText(update, 69) << std::endl;
}

void ProgressLine::clear() {
    if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
    drawn_ = false;
}

void ProgressLine::finish() {
    clear();
    silent_ = true;
}

}  // namespace owq::cli
