// SPDX-License-Identifier: Apache-2.0
#include "app/cli/command.h"

#include <algorithm>

namespace owq::cli {

void Run::writeResult(const Json& result) const {
    if (!common.json.empty()) writeJson(common.json, result);
}

CommandLine::CommandLine(const std::string& version)
    : app("Outlier-aware weight quantization of language models.", "owq") {
    app.set_version_flag("--version", "owq " + version);
    app.require_subcommand(0, 1);
    app.get_formatter()->column_width(34);
    app.footer("owq help COMMAND shows the options of a command.");
    CLI::App* helpCommand = app.add_subcommand("help", "Show the options of a command");
    helpCommand->add_option("command", helpTopic, "Name of the command");
    helpCommand->callback([this] { help = true; });
}

CLI::App* CommandLine::add(const std::string& name, const std::string& description, Action chosen) {
    CLI::App* command = app.add_subcommand(name, description);
    command->add_option("--json", common.json, "Write the result as JSON to this file")->type_name("FILE");
    command->add_option("--threads", common.threads, "Threads to compute with (default: all cores)")
        ->type_name("N")
        ->check(CLI::Range(1, 4096));
    command->add_flag("--quiet,-q", common.quiet, "No progress on the standard error output");
    command->callback([this, chosen = std::move(chosen)] { action = chosen; });
    return command;
}

void addTask(CLI::App& command, std::filesystem::path& value) {
    command.add_option("--task", value, "Weak columns of a task (task.safetensors of owq tune) in place of the model's own")->type_name("FILE");
}

void addTopP(CLI::App& command, double& value) {
    const auto take = [&value](double share) {
        if (!(share > 0 && share <= 1)) throw CLI::ValidationError("--top-p", Json(share).dump() + " is not above 0 and at most 1");
        value = share;
    };
    command.add_option_function<double>("--top-p", take, "Draw from the likeliest tokens that make up this share, above 0; 1: from all")
        ->type_name("X")->default_str(Json(value).dump());
}

void addArithmetic(CLI::App& command, Arithmetic& value) {
    command.add_option_function<std::string>("--arithmetic", [&value](const std::string& name) { value = arithmeticFromName(name); },
                                             "How quantized linears are multiplied: dense (dequantized, float), or packed: exact (float inputs), "
                                             "int8x2 (inputs as two 8-bit numbers), int8 (as one)")
        ->type_name("A")->check(CLI::IsMember({"dense", "exact", "int8x2", "int8"}))->default_str(arithmeticName(value));
}

void addDevice(CLI::App& command, DeviceKind& value) {
    command.add_option_function<std::string>("--device", [&value](const std::string& name) { value = deviceKindFromName(name); },
                                             "What computes: cpu, or cuda for the first NVIDIA GPU")
        ->check(CLI::IsMember({"cpu", "cuda"}))->default_str(deviceKindName(value));
}

}  // namespace owq::cli
