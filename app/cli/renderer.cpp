// SPDX-License-Identifier: Apache-2.0
// There is one renderer, the window's. It is started beside this program, without a display.
#include "app/cli/renderer.h"

#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "app/cli/command.h"
#include "core/base/error.h"

extern char** environ;

namespace owq::cli {
namespace {

namespace fs = std::filesystem;

fs::path workbench() {
    std::error_code failed;
    const fs::path self = fs::read_symlink("/proc/self/exe", failed);
    const fs::path program = self.parent_path() / "owq-workbench";
    if (failed || !fs::exists(program))
        throw Error("the window program owq-workbench, which draws the figures, is not there", program.string(),
                    "Build it (it needs Qt 6 and QCustomPlot) or install the package that has it");
    return program;
}

std::vector<std::string> environment() {
    std::vector<std::string> result;
    bool platform = false;
    for (char** entry = environ; *entry; ++entry) {
        result.emplace_back(*entry);
        platform = platform || result.back().starts_with("QT_QPA_PLATFORM=");
    }
    if (!platform) result.emplace_back("QT_QPA_PLATFORM=offscreen");
    return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

// Runs the program to its end; its messages go to our standard error output. Returns the wait status.
int runProgram(std::vector<std::string> arguments) {
    std::vector<std::string> variables = environment();
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;  // this program blocks Ctrl+C for its own threads; the new one must not inherit that
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t child = 0;
    const int failed = posix_spawn(&child, arguments[0].c_str(), nullptr, &attributes, pointers(arguments).data(),
                                   pointers(variables).data());
    posix_spawnattr_destroy(&attributes);
    if (failed) throw Error(std::string("cannot be started: ") + std::strerror(failed), arguments[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

void checkFigureName(const fs::path& out) {
    const std::string type = out.extension().string();
    if (type != ".pdf" && type != ".svg" && type != ".png") throw UsageError("a figure's name must end in .pdf, .svg or .png: " + out.string());
}

void renderFigure(const fs::path& subject, const std::string& kind, const fs::path& out, const std::vector<std::string>& more, const std::stop_token& stop) {
    std::vector<std::string> arguments{workbench().string(), "--render-figure", subject.string(), "--kind", kind, "--out", out.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const int status = runProgram(std::move(arguments));
    checkStop(stop);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw Error("the figure was not drawn (owq-workbench " +
                        (WIFEXITED(status) ? "ended with code " + std::to_string(WEXITSTATUS(status))
                                           : "was ended by signal " + std::to_string(WTERMSIG(status))) + ")", out.string());
}

}  // namespace owq::cli
