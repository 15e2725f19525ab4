// SPDX-License-Identifier: Apache-2.0
#include "app/cli/command.h"

namespace owq::cli {

void addUnavailable(CommandLine& line) {
    for (const char* name : {"tune", "judge"}) {
        CLI::App* command = line.app.add_subcommand(name, "Not in this release")->group("");
        command->allow_extras();
        command->callback([&line, name = std::string(name)] {
            line.action = [name](Run&) { throw UsageError("the command " + name + " is not in this release"); };
        });
    }
}

}  // namespace owq::cli
