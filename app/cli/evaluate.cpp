// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/evaluate.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/layer_table.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"
#include "core/jobs/evaluate_tasks.h"

namespace owq::cli {
namespace {

/// "0.0123 ± 0.0004", as many digits as the error leaves certain; a single window has no standard error.
std::string meanText(double mean, std::optional<double> error) {
    if (!error) return numberText(mean);
    const int decimals = *error > 0 ? std::max(0, 1 - int(std::floor(std::log10(*error)))) : 4;
    if (decimals > 6) return numberText(mean, 3) + " ± " + numberText(*error, 2);
    return fixedText(mean, decimals) + " ± " + fixedText(*error, decimals);
}

/// "12; most in no. 3 (0.12 nats per token over 540), …"
std::string documentsText(std::vector<DocumentDivergence> documents) {
    constexpr size_t kShown = 3;
    std::string text = countText(int64_t(documents.size()));
    std::stable_sort(documents.begin(), documents.end(), [](const DocumentDivergence& a, const DocumentDivergence& b) { return a.kl > b.kl; });
    for (size_t i = 0; i < std::min(kShown, documents.size()); ++i)
        text += (i ? ", " : "; most in ") + ("no. " + countText(documents[i].document + 1)) + " (" + numberText(documents[i].kl, 3) +
                (i ? "" : " nats per token") + " over " + countText(documents[i].tokens) + ")";
    return text;
}

void addDivergence(Table& facts, const EvaluateResult& result) {
    const DivergenceResult& d = *result.divergence;
    const double ratio = std::exp(d.logPerplexityDifference.mean);
    std::optional<double> error = d.logPerplexityDifference.standardError;
    if (error) *error *= ratio;
    facts.add({"original", (result.against.empty() ? result.base : result.against) + ", perplexity " + fixedText(d.original.perplexity, 4)});
    facts.add({"KL divergence", meanText(d.kl.mean, d.kl.standardError) + " nats per token"});
    facts.add({"top-1 agreement", fixedText(100 * d.top1Agreement, 2) + " %"});
    facts.add({"perplexity ratio", meanText(ratio, error)});
    const auto at = [](const std::vector<Quantile>& quantiles, double share) {
        for (const Quantile& q : quantiles)
            if (q.share == share) return q.value;
        return std::nan("");
    };
    facts.add({"KL of single tokens", "median " + numberText(at(d.klQuantiles, 0.5), 3) + ", 99 % below " + numberText(at(d.klQuantiles, 0.99), 3) +
                                          ", largest " + numberText(at(d.klQuantiles, 1), 3)});
    if (!d.documents.empty()) facts.add({"documents", documentsText(d.documents)});
    facts.add({"right token", "probability changes by " + fixedText(100 * d.rmsProbabilityChange, 2) + " % (rms); the worst hundredth loses " +
                                  fixedText(-100 * at(d.probabilityChange, 0.01), 2) + " % or more"});
}

/// Where the most damage enters, and what becomes of it from block to block.
void printLayers(const std::vector<LayerError>& layers) {
    constexpr size_t kShown = 10;
    std::vector<const LayerError*> linears, blocks;
    for (const LayerError& e : layers) (e.name.starts_with("block ") ? blocks : linears).push_back(&e);
    std::stable_sort(linears.begin(), linears.end(), [](const LayerError* a, const LayerError* b) { return a->local.relative > b->local.relative; });
    if (linears.size() > kShown) linears.resize(kShown);
    const auto row = [](const LayerError& e) -> std::vector<std::string> {
        return {e.name, numberText(e.local.relative, 3), numberText(e.felt.relative, 3), fixedText(e.felt.cosine, 5)};
    };
    for (const auto& [what, rows] : {std::pair("worst linears", linears), std::pair("behind", blocks)}) {
        Table table({what, ">error of its own", ">error felt", ">cosine"});
        for (const LayerError* e : rows) table.add(row(*e));
        std::cout << '\n';
        table.print(std::cout);
    }
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
    facts.add({"device", result.device});
    facts.add({"time", durationText(result.seconds)});
    facts.add({"peak memory", bytesText(result.peakMemoryBytes)});
    facts.print(std::cout);
    if (!result.layers.empty()) printLayers(result.layers);
    printWarnings(result.warnings);
}

/// "62.50 ± 4.33 %".
std::string percentText(const WindowMean& m) {
    return fixedText(100 * m.mean, 2) + (m.standardError ? " ± " + fixedText(100 * *m.standardError, 2) : "") + " %";
}

void print(const EvaluateTasksResult& result) {
    Table table({"task", "format", ">questions", ">shots", ">accuracy", ">by length", ">perplexity"});
    for (const TaskResult& t : result.tasks)
        table.add({t.name, taskFormatName(t.format), countText(t.questions), countText(t.shots), percentText(t.accuracy),
                   t.normalized ? percentText(*t.normalized) : "", t.perplexity ? fixedText(*t.perplexity, 3) : ""});
    table.print(std::cout);
    Table facts = Table::facts();
    if (result.tasks.size() > 1) facts.add({"mean accuracy", fixedText(100 * result.meanAccuracy, 2) + " %, each task counting the same"});
    facts.add({"model", result.model});
    facts.add({"arithmetic", result.arithmetic});
    facts.add({"time", durationText(result.seconds)});
    facts.add({"peak memory", bytesText(result.peakMemoryBytes)});
    facts.print(std::cout);
}

struct Arguments {
    EvaluateOptions options;
    EvaluateTasksOptions tasks;
    std::string format;
};

void askQuestions(Arguments& arguments, Run& run) {
    EvaluateTasksOptions& o = arguments.tasks;
    o.model = arguments.options.model;
    o.modelFolder = arguments.options.modelFolder;
    o.arithmetic = arguments.options.arithmetic;
    o.device = arguments.options.device;
    o.task = arguments.options.task;
    if (!arguments.format.empty()) o.format = taskFormatFromName(arguments.format);
    const EvaluateTasksResult result = evaluateTasks(o, run.progress, run.stop);
    run.writeResult(toJson(result));
    run.line.finish();
    print(result);
}

}  // namespace

void addEvaluate(CommandLine& line) {
    auto arguments = std::make_shared<Arguments>();
    EvaluateOptions& options = arguments->options;
    EvaluateTasksOptions& questions = arguments->tasks;
    questions.shots.shots = -1;
    CLI::App* command = line.add("evaluate", "Perplexity of a model on a text, its divergence from an original, or its answers to questions", [arguments](Run& run) {
        if (!arguments->tasks.tasks.empty()) return askQuestions(*arguments, run);
        if (arguments->options.text.empty() && arguments->options.tokens.empty())
            throw UsageError("a text is needed: give --text FILE or --tokens FILE, or questions with --tasks FILE");
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
    addDevice(*command, options.device);
    auto* against = command->add_option("--against", options.against,
                                        "Original to compare with: KL divergence, top-1 agreement, perplexity ratio")
                        ->type_name("MODEL");
    command->add_option("--against-model", options.againstFolder, "Folder with the config, for a lone .pth as the original")
        ->type_name("DIR")->needs(against);
    command->add_option("--base", options.base,
                        "Log-probabilities of the original in 16 bit: FILE is written if it is not there, and read instead of computing the original if it is")
        ->type_name("FILE");
    command->add_flag("--layer-errors", options.layers, "With --against: error of the output of each linear and block, its own and as it is felt")->needs(against);
    auto* tasks = command->add_option("--tasks", questions.tasks, "Questions: JSON lines of ARC, HellaSwag, LAMBADA or WinoGrande, MMLU's tables, or your own")
                      ->type_name("FILE")->excludes(text)->excludes(tokens)->excludes(against);
    command->add_option("--task-format", arguments->format, "arc, hellaswag, mmlu, lambada, winogrande, choice or completion (default: by the file's fields)")
        ->check(CLI::IsMember({"arc", "hellaswag", "mmlu", "lambada", "winogrande", "choice", "completion"}))->needs(tasks);
    command->add_option("--shots", questions.shots.shots, "Examples before each question (default: 25 for ARC, 10 for HellaSwag, 5 for MMLU, else 0)")
        ->type_name("N")->check(CLI::Range(0, 1000))->needs(tasks);
    command->add_option("--shots-from", questions.shotsFrom, "File of examples, or folder with MMLU's SUBJECT_dev.csv (default: the other questions)")
        ->type_name("PATH")->needs(tasks);
    command->add_option("--limit", questions.shots.limit, "Ask N questions of each task only")->type_name("N")->check(CLI::PositiveNumber)->needs(tasks);
    command->add_option("--task-seed", questions.shots.seed, "Seed of the order of the questions and of the examples")
        ->type_name("N")->needs(tasks)->capture_default_str();
    command->add_option("--answers", questions.answers, "Write each question's scores and choice as JSON lines")->type_name("FILE")->needs(tasks);
}

}  // namespace owq::cli
