// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/generate.h"

#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"

namespace owq::cli {
namespace {

std::string countAndRate(int64_t tokens, double rate) {
    return countText(tokens) + (rate > 0 ? " (" + fixedText(rate, 1) + " a second)" : "");
}

}  // namespace

void addGenerate(CommandLine& line) {
    auto options = std::make_shared<GenerateOptions>();
    CLI::App* command = line.add("generate", "Continue a text", [options](Run& run) {
        options->onText = [&run](const std::string& text) {
            run.line.finish();
            std::cout << text << std::flush;
        };
        const GenerateResult result = generate(*options, run.progress, run.stop);
        run.writeResult(toJson(result));
        run.line.finish();
        std::cout << std::endl;
        if (!run.common.quiet)
            std::cerr << "prompt tokens "
                      << countAndRate(result.promptTokens, result.promptSeconds > 0 ? double(result.promptTokens) / result.promptSeconds : 0)
                      << ", new tokens " << countAndRate(int64_t(result.ids.size()), result.decodeRate()) << ", ended by " << result.stopReason << '\n';
    });
    command->add_option("MODEL", options->model, "Checkpoint, run directory or packed model")->required();
    command->add_option("--model", options->modelFolder, "Folder with config and tokenizer, for a lone .pth")->type_name("DIR");
    command->add_option("--prompt", options->prompt, "Text to go on from")->type_name("TEXT")->required();
    command->add_option("--max-tokens", options->maxTokens, "At most so many new tokens")
        ->type_name("N")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--temperature", options->temperature, "0: always the likeliest token")
        ->type_name("X")->check(CLI::Range(0.0, 100.0))->capture_default_str();
    addTopP(*command, options->topP);
    command->add_option("--seed", options->seed, "Decides what is drawn")->type_name("N")->capture_default_str();
    addTask(*command, options->task);
    addArithmetic(*command, options->arithmetic);
    addDevice(*command, options->device);
}

}  // namespace owq::cli
