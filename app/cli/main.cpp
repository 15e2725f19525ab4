// SPDX-License-Identifier: Apache-2.0
// owq: every computation of the workbench from the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped.
#include <unistd.h>

#include <exception>
#include <iostream>
#include <new>

#include "app/cli/command.h"
#include "app/cli/progress_line.h"
#include "app/cli/signals.h"
#include "core/base/error.h"
#include "core/jobs/threads.h"

namespace owq::cli {
namespace {

int usageError(const std::string& message) {
    std::cerr << "owq: " << message << "\nowq help shows the commands, owq help COMMAND the options of one.\n";
    return kWrongUsage;
}

int showHelp(CommandLine& line) {
    if (line.helpTopic.empty()) {
        // App::help would show the help of the command that was given, which is "help" itself.
        std::cout << line.app.get_formatter()->make_help(&line.app, "owq", CLI::AppFormatMode::Normal);
        return kDone;
    }
    for (CLI::App* command : line.app.get_subcommands([](CLI::App*) { return true; })) {
        if (command->get_name() != line.helpTopic) continue;
        std::cout << command->help("owq");
        return kDone;
    }
    return usageError("there is no command \"" + line.helpTopic + "\"");
}

// A result that cannot be written should be known before hours of work, not after.
void checkJsonTarget(const CommonOptions& common) {
    if (common.json.empty()) return;
    const auto folder = common.json.has_parent_path() ? common.json.parent_path() : std::filesystem::path(".");
    if (!std::filesystem::is_directory(folder)) throw UsageError("--json: there is no folder " + folder.string());
    if (std::filesystem::is_directory(common.json)) throw UsageError("--json: " + common.json.string() + " is a folder");
}

int runAction(CommandLine& line) {
    StopOnSignal signals;
    ProgressLine progressLine(line.common.quiet, isatty(STDERR_FILENO));
    Progress progress([&](const ProgressUpdate& update) { progressLine.show(update); });
    Run run{line.common, progressLine, progress, signals.token()};
    const auto failed = [&](const std::string& message, int code) {
        progressLine.finish();
        std::cout.flush();
        std::cerr << "owq: " << message << std::endl;
        return code;
    };
    try {
        checkJsonTarget(line.common);
        setThreads(line.common.threads);
        line.action(run);
        progressLine.finish();
        std::cout.flush();
        return kDone;
    } catch (const UsageError& error) {
        return failed(error.what(), kWrongUsage);
    } catch (const Cancelled& stopped) {
        return failed(stopped.what(), kCancelled);
    } catch (const std::bad_alloc&) {
        return failed("out of memory", kFailed);
    } catch (const std::exception& error) {
        return failed(error.what(), kFailed);
    }
}

int run(int argc, char** argv) {
    CommandLine line(OWQ_VERSION);
    addInspect(line);
    addCalibrate(line);
    addQuantize(line);
    addEvaluate(line);
    addExport(line);
    addGenerate(line);
    addTune(line);
    addSweep(line);
    addCompare(line);
    addBench(line);
    addJudge(line);
    addLesson(line);
    addTokenize(line);
    addFigure(line);
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::Success& shown) {  // --help, --version
        return line.app.exit(shown);
    } catch (const CLI::ParseError& error) {
        return usageError(error.what());
    }
    if (line.help) return showHelp(line);
    if (!line.action) {
        std::cerr << line.app.help();
        return kWrongUsage;
    }
    return runAction(line);
}

}  // namespace
}  // namespace owq::cli

int main(int argc, char** argv) {
    try {
        return owq::cli::run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "owq: " << error.what() << '\n';
        return owq::cli::kFailed;
    }
}
