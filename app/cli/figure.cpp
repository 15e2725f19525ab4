// SPDX-License-Identifier: Apache-2.0
// There is one renderer, the window's. `owq figure` starts it beside this program, without a display.
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"
#include "core/base/error.h"

extern char** environ;

namespace owq::cli {
namespace {

namespace fs = std::filesystem;

struct FigureOptions {
    fs::path run, out, csv;
    std::string kind, layer;
    double widthMm = 0, heightMm = 0, fontPt = 0;
};

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

void render(const FigureOptions& options, Run& run) {
    std::vector<std::string> arguments{workbench().string(), "--render-figure", options.run.string(), "--kind", options.kind,
                                       "--out", options.out.string()};
    const auto pass = [&](const char* name, const std::string& value) {
        if (!value.empty()) arguments.insert(arguments.end(), {name, value});
    };
    const auto number = [](double value) { return value > 0 ? numberText(value, 6) : std::string(); };
    pass("--layer", options.layer);
    pass("--width-mm", number(options.widthMm));
    pass("--height-mm", number(options.heightMm));
    pass("--font-pt", number(options.fontPt));
    pass("--csv", options.csv.string());
    const int status = runProgram(std::move(arguments));
    checkStop(run.stop);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw Error("the figure was not drawn (owq-workbench " +
                        (WIFEXITED(status) ? "ended with code " + std::to_string(WEXITSTATUS(status))
                                           : "was ended by signal " + std::to_string(WTERMSIG(status))) + ")", options.out.string());
    Json result;
    result["file"] = options.out.string();
    result["kind"] = options.kind;
    result["layer"] = options.layer;
    run.writeResult(result);
    std::cout << options.out.string() << '\n';
}

}  // namespace

void addFigure(CommandLine& line) {
    auto options = std::make_shared<FigureOptions>();
    CLI::App* command = line.add("figure", "A plot of the workbench as a file", [options](Run& run) {
        const std::string type = options->out.extension().string();
        if (type != ".pdf" && type != ".svg" && type != ".png") throw UsageError("--out must end in .pdf, .svg or .png");
        if (options->layer.empty() && options->kind != "error-saved") throw UsageError("--kind " + options->kind + " needs --layer NAME");
        render(*options, run);
    });
    command->add_option("DIR", options->run, "Run directory, or folder of owq calibrate")->required();
    command->add_option("--kind", options->kind, "hessian, column-range, cumulative-error, sensitivity or error-saved (by weak columns)")
        ->required()->check(CLI::IsMember({"hessian", "column-range", "cumulative-error", "sensitivity", "error-saved"}));
    command->add_option("--layer", options->layer, "Linear to show; error-saved shows all without it")->type_name("NAME");
    command->add_option("--out", options->out, "Figure: .pdf, .svg or .png")->type_name("FILE")->required();
    command->add_option("--width-mm", options->widthMm, "Width")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--height-mm", options->heightMm, "Height")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--font-pt", options->fontPt, "Size of the text")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--csv", options->csv, "Write the plotted numbers, too")->type_name("FILE");
}

}  // namespace owq::cli
