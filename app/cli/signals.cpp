// SPDX-License-Identifier: Apache-2.0
#include "app/cli/signals.h"

#include <csignal>
#include <ctime>
#include <unistd.h>

#include "app/cli/command.h"

namespace owq::cli {
namespace {

sigset_t stopSignals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void say(const char* text) {
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text, std::char_traits<char>::length(text));
}

}  // namespace

StopOnSignal::StopOnSignal() {
    const sigset_t set = stopSignals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    // A thread that waits for signals may call anything, which a signal handler may not.
    watcher_ = std::jthread([this, set](std::stop_token ended) {
        const timespec pause{0, 100'000'000};
        while (!ended.stop_requested()) {
            if (sigtimedwait(&set, nullptr, &pause) < 0) continue;
            if (source_.stop_requested()) {
                say("\nowq: aborted\n");
                _exit(kCancelled);
            }
            say("\nowq: stopping; once more to abort\n");
            source_.request_stop();
        }
    });
}

StopOnSignal::~StopOnSignal() {
    watcher_.request_stop();
    watcher_.join();
    const sigset_t set = stopSignals();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace owq::cli
