// SPDX-License-Identifier: Apache-2.0
// What every subcommand is made of. A file app/cli/NAME.cpp holds one add function: it declares the options and, when
// its command was chosen, leaves the action for main to run.
#pragma once
#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/device/open_device.h"
#include "core/model/arithmetic.h"

namespace owq::cli {

enum ExitCode { kDone = 0, kFailed = 1, kWrongUsage = 2, kCancelled = 130 };

/// The command line asks for something that cannot be: exit code 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class ProgressLine;

/// Options that every command has.
struct CommonOptions {
    std::filesystem::path json;
    int threads = 0;  ///< 0: the machine's cores
    bool quiet = false;
};

/// What an action works with.
struct Run {
    const CommonOptions& common;
    ProgressLine& line;
    Progress& progress;
    std::stop_token stop;

    /// Writes --json, when it was given.
    void writeResult(const Json& result) const;
};

using Action = std::function<void(Run&)>;

/// The command line as a whole, while it is parsed.
struct CommandLine {
    CLI::App app;
    CommonOptions common;
    Action action;
    std::string helpTopic;  ///< `owq help TOPIC`
    bool help = false;

    explicit CommandLine(const std::string& version);
    /// A subcommand with the common options; `action` is kept when it is the chosen one.
    CLI::App* add(const std::string& name, const std::string& description, Action action);
};

/// --task, into `value`.
void addTask(CLI::App& command, std::filesystem::path& value);

/// --top-p, into `value`, whose present one is the default.
void addTopP(CLI::App& command, double& value);

/// --arithmetic, into `value`, whose present one is the default.
void addArithmetic(CLI::App& command, Arithmetic& value);
/// --device, likewise.
void addDevice(CLI::App& command, DeviceKind& value);

void addInspect(CommandLine& line);
void addTokenize(CommandLine& line);
void addCalibrate(CommandLine& line);
void addQuantize(CommandLine& line);
void addEvaluate(CommandLine& line);
void addExport(CommandLine& line);
void addFigure(CommandLine& line);
void addGenerate(CommandLine& line);
void addSweep(CommandLine& line);
void addCompare(CommandLine& line);
void addLesson(CommandLine& line);
void addBench(CommandLine& line);
void addJudge(CommandLine& line);
void addTune(CommandLine& line);

}  // namespace owq::cli
