// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/evaluate.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

/// "0.0123 ± 0.0004", as many digits as the error leaves certain; a single window has no standard error.
std::string meanText(double mean, std::optional<double> error) {
    if (!error) return numberText(mean);
    const int decimals = *error > 0 ? std::max(0, 1 - int(std::floor(std::log10(*error)))) : 4;
    if (decimals > 6) return numberText(mean, 3) + " ± " + numberText(*error, 2);
    return fixedText(mean, decimals) + " ± " + fixedText(*error, decimals);
}

void addDivergence(Table& facts, const EvaluateResult& result) {
    const DivergenceResult& d = *result.divergence;
    const double ratio = std::exp(d.logPerplexityDifference.mean);
    std::optional<double> error = d.logPerplexityDifference.standardError;
    if (error) *error *= ratio;
    facts.add({"original", result.against + ", perplexity " + fixedText(d.original.perplexity, 4)});
    facts.add({"KL divergence", meanText(d.kl.mean, d.kl.standardError) + " nats per token"});
    facts.add({"top-1 agreement", fixedText(100 * d.top1Agreement, 2) + " %"});
    facts.add({"perplexity ratio", meanText(ratio, error)});
}

void print(const EvaluateResult& result) {
    Table facts = Table::facts();
    facts.add({"perplexity", fixedText(result.perplexity, 4)});
    if (result.divergence) addDivergence(facts, result);
    facts.add({"protocol", result.protocol + ", " + countText(result.windows) + " windows of " +
                               countText(result.sequenceLength) + " tokens"});
    facts.add({"scored", countText(result.tokens) + " tokens, loss " + fixedText(result.nll, 3) + " in all"});
    facts.add({"model", result.model});
    if (!result.task.empty()) facts.add({"task", result.task});
    facts.add({"text", result.text});
    facts.add({"arithmetic", result.arithmetic});
    facts.add({"time", durationText(result.seconds)});
    facts.add({"peak memory", bytesText(result.peakMemoryBytes)});
    facts.print(std::cout);
}

}  // namespace

void addEvaluate(CommandLine& line) {
    struct Arguments {
        EvaluateOptions options;
        std::string unused;
    };
    auto arguments = std::make_shared<Arguments>();
    EvaluateOptions& options = arguments->options;
    CLI::App* command = line.add("evaluate", "Perplexity of a model on a text, and its divergence from an original", [arguments](Run& run) {
        if (arguments->options.text.empty() && arguments->options.tokens.empty())
            throw UsageError("a text is needed: give --text FILE or --tokens FILE");
        const EvaluateResult result = evaluate(arguments->options, run.progress, run.stop);
        run.writeResult(toJson(result));
        run.line.finish();
        print(result);
    });
    command->add_option("MODEL", options.model, "Checkpoint, run directory or packed model")->required();
    command->add_option("--model", options.modelFolder, "Folder with config and tokenizer, for a lone .pth")->type_name("DIR");
    auto* text = command->add_option("--text", options.text, "Text, or JSON lines with \"text\"")->type_name("FILE");
    auto* tokens = command->add_option("--tokens", options.tokens, "safetensors with input_ids [n] or [1, n]")->type_name("FILE");
    text->excludes(tokens);
    command->add_option("--protocol", options.protocol, "wikitext2, ptb, c4 or plain")
        ->check(CLI::IsMember({"wikitext2", "ptb", "c4", "plain"}))->excludes(tokens)->capture_default_str();
    command->add_option("--sequence-length", options.sequenceLength,
                        "Tokens of a window (default: the model's maximum, at most 2048)")
        ->type_name("N")->check(CLI::Range(int64_t(2), int64_t(1) << 24));
    command->add_option("--max-windows", options.maxWindows, "Score the first N windows only")
        ->type_name("N")->check(CLI::PositiveNumber);
    addTask(*command, options.task);
    addArithmetic(*command, options.arithmetic);
    auto* against = command->add_option("--against", options.against,
                                        "Original to compare with: KL divergence, top-1 agreement, perplexity ratio")
                        ->type_name("MODEL");
    command->add_option("--against-model", options.againstFolder, "Folder with the config, for a lone .pth as the original")
        ->type_name("DIR")->needs(against);
    for (const char* name : {"--tasks", "--shots"})
        refuse(command->add_option(name, arguments->unused)->group(""), std::string(name) + " is not in this release");
}

}  // namespace owq::cli
