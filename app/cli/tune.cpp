// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/tune.h"

#include <cmath>
#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/layer_table.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

void print(const TuneResult& result) {
    Table facts = Table::facts();
    facts.add({"weak columns", countText(result.parameters) + " weights of " + countText(result.linears) + " linears"});
    facts.add({"data", countText(result.examples) + " examples, " + countText(result.scoredTokens) + " scored tokens; " +
                           countText(result.validationExamples) + " examples held out"});
    const bool done = !result.task.empty();
    if (done) {
        facts.add({"steps", countText(result.steps) + " of " + countText(result.plannedSteps) + ", ended: " + result.ended});
        if (result.validationBefore && result.validationAfter)
            facts.add({"validation", "loss " + fixedText(*result.validationBefore, 4) + " before, " + fixedText(*result.validationAfter, 4) + " after step " +
                                         countText(result.bestStep) + "; perplexity " + fixedText(std::exp(*result.validationBefore), 3) + ", " +
                                         fixedText(std::exp(*result.validationAfter), 3)});
        facts.add({"time", durationText(result.seconds) + ", " + durationText(result.secondsPerStep) + " a step"});
    } else {
        facts.add({"steps", countText(result.plannedSteps)});
        facts.add({"time forecast", durationText(result.secondsPerStep * double(result.plannedSteps)) + " without validation, " +
                                        durationText(result.secondsPerStep) + " a step"});
    }
    facts.add({"memory forecast", bytesText(result.forecast.bytes()) + " beside the program"});
    if (!done)
        for (const TuningForecast::Part& part : result.forecast.parts) facts.add({"", bytesText(part.bytes) + " " + part.name});
    if (done) {
        facts.add({"peak memory", bytesText(result.peakMemoryBytes)});
        facts.add({"task", result.task.string() + ", " + bytesText(result.taskBytes)});
    }
    facts.print(std::cout);
    printWarnings(result.warnings);
}

}  // namespace

void addTune(CommandLine& line) {
    auto arguments = std::make_shared<TuneOptions>();
    CLI::App* command = line.add("tune", "Train the weak columns of a quantized model on a text, for a task", [arguments](Run& run) {
        if (arguments->out.empty() && !arguments->dryRun) throw UsageError("--out is needed, or --dry-run");
        const TuneResult result = tune(*arguments, run.progress, run.stop);
        run.writeResult(toJson(result));
        run.line.finish();
        print(result);
    });
    TuneOptions& o = *arguments;
    TuningSettings& s = o.settings;
    command->add_option("MODEL", o.model, "Run directory or packed model")->required();
    command->add_option("--model", o.modelFolder, "Folder with config and tokenizer, for a lone .pth")->type_name("DIR");
    command->add_option("--data", o.data, "Text, or JSON lines with \"text\", or with \"prompt\" and \"response\" (only the response is scored)")
        ->type_name("FILE")->required();
    command->add_option("--validation", o.validation, "The same, to validate on (default: a share of the data is held out)")->type_name("FILE");
    command->add_option("--out", o.out, "Folder of the tuning; the result is task.safetensors in it")->type_name("DIR");
    const auto count = [&](const char* name, int64_t& value, const char* text) {
        command->add_option(name, value, text)->type_name("N")->check(CLI::PositiveNumber)->capture_default_str();
    };
    const auto countOrNone = [&](const char* name, int64_t& value, const char* text) {
        command->add_option(name, value, text)->type_name("N")->check(CLI::NonNegativeNumber)->capture_default_str();
    };
    const auto real = [&](const char* name, double& value, double high, const char* text) {
        command->add_option(name, value, text)->type_name("X")->check(CLI::Range(0.0, high))->capture_default_str();
    };
    count("--epochs", s.epochs, "Passes over the data");
    real("--learning-rate", s.learningRate, 1e3, "At its highest, for inputs of size 1: it rises over the warm-up and falls as a cosine to a tenth");
    real("--rate-exponent", s.rateExponent, 1, "A column's rate is divided by the root mean square of its input to this power; 0: one rate for all");
    count("--batch-size", s.batchSize, "Examples computed together");
    count("--accumulate", s.accumulate, "Batches for one step of the optimizer");
    command->add_option("--sequence-length", o.sequenceLength, "Tokens of an example (default: the model's maximum, at most 512)")
        ->type_name("N")->check(CLI::Range(int64_t(2), int64_t(1) << 24));
    real("--warm-up", s.warmUp, 1, "Share of the steps in which the learning rate rises");
    real("--weight-decay", s.weightDecay, 1e3, "Of AdamW");
    real("--clip", s.clip, 1e9, "Norm of the gradient at most; 0: any");
    real("--validation-share", s.validationShare, 0.99, "Share of the examples that is held out; 0: none, and the last weights are kept");
    countOrNone("--evaluate-every", s.evaluateEvery, "Steps between two validations; 0: half an epoch");
    countOrNone("--patience", s.patience, "Stop after so many validations in a row that are worse than the best; 0: never");
    countOrNone("--max-steps", s.maxSteps, "Steps at most; 0: those of the epochs");
    command->add_option("--seed", s.seed, "Decides what is held out, and the order")->type_name("N")->capture_default_str();
    command->add_flag("--half-inputs", s.halfInputs, "Keep the inputs of blocks in bfloat16 until the backward pass: less memory, gradients off by about 1 %");
    count("--checkpoint-every", o.checkpointEvery, "Steps after which a killed tuning begins again at most");
    command->add_flag("--dry-run", o.dryRun, "Forecast of memory and time only; computes one batch, writes nothing");
    auto* resume = command->add_flag("--resume", o.resume, "Go on with the tuning in --out");
    command->add_flag("--force", o.force, "Replace what is in --out")->excludes(resume);
}

}  // namespace owq::cli
