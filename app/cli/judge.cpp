// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/judge.h"

#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

struct Arguments {
    JudgeOptions options;
    std::filesystem::path verdicts;
};

std::string counts(int64_t wins, int64_t ties, int64_t losses) {
    return countText(wins) + " won, " + countText(ties) + " tied, " + countText(losses) + " lost";
}

/// \n, \t and \\ become what they stand for: shells hand them on as they are written.
std::string unescaped(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
        const char meant = next == 'n' ? '\n' : next == 't' ? '\t' : next == '\\' ? '\\' : '\0';
        out += meant ? meant : text[i];
        i += meant != '\0';
    }
    return out;
}

void print(const JudgeTally& t) {
    Table facts = Table::facts();
    facts.add({"model A", t.a});
    facts.add({"model B", t.b});
    facts.add({"A over prompts", counts(t.promptWins, t.promptTies, t.promptLosses)});
    facts.add({"sign test", "p = " + numberText(t.signTest, 3) + " if both were alike"});
    facts.add({"A over comparisons", counts(t.wins, t.ties, t.losses)});
    facts.add({"shown first", "preferred in " + countText(t.firstPreferred) + " of " + countText(t.verdicts) + " verdicts"});
    if (t.missing) facts.add({"without a verdict", countText(t.missing) + " comparisons"});
    facts.print(std::cout);
}

void print(const JudgeResult& r) {
    Table facts = Table::facts();
    facts.add({"answered", countText(r.prompts) + " prompts by two models" +
                               (r.answeredBefore ? ", " + countText(r.answeredBefore) + " answers were there already" : "")});
    facts.add({"answers", r.answers.string()});
    facts.add({"to be judged", r.comparisons.string()});
    facts.print(std::cout);
}

}  // namespace

void addJudge(CommandLine& line) {
    auto arguments = std::make_shared<Arguments>();
    JudgeOptions& o = arguments->options;
    CLI::App* command = line.add("judge", "Answers of two models to the same prompts, for a judge, and what the judge says", [arguments](Run& run) {
        JudgeOptions& options = arguments->options;
        Json result;
        if (!options.a.empty() || !options.prompts.empty()) {
            if (options.b.empty() || options.prompts.empty()) throw UsageError("give two models and --prompts FILE, or --verdicts FILE alone");
            const JudgeResult answered = judge(options, run.progress, run.stop);
            result = toJson(answered);
            run.line.finish();
            print(answered);
        } else if (arguments->verdicts.empty()) {
            throw UsageError("give two models and --prompts FILE, or --verdicts FILE");
        }
        if (!arguments->verdicts.empty()) {
            const JudgeTally tally = tallyVerdicts(options.out, arguments->verdicts);
            result["verdicts"] = toJson(tally);
            print(tally);
        }
        run.writeResult(result);
    });
    command->add_option("A", o.a, "Checkpoint, run directory or packed model");
    command->add_option("B", o.b, "The other one");
    command->add_option("--a-model", o.aFolder, "Folder with config and tokenizer, where A is a lone .pth")->type_name("DIR");
    command->add_option("--b-model", o.bFolder, "The same for B")->type_name("DIR");
    command->add_option("--a-task", o.aTask, "Weak columns of a task (task.safetensors of owq tune) in place of A's own")->type_name("FILE");
    command->add_option("--b-task", o.bTask, "The same for B")->type_name("FILE");
    command->add_option("--prompts", o.prompts, "JSON lines with \"prompt\", or a text of one prompt a line")->type_name("FILE");
    command->add_option("--out", o.out, "Folder for the answers; one begun with the same settings is gone on with")->type_name("DIR")->required();
    command->add_option("--verdicts", arguments->verdicts, "JSON lines: comparison, and verdict (first, second, tie) or scores")->type_name("FILE");
    command->add_option_function<std::string>("--frame", [&o](const std::string& text) { o.frame = unescaped(text); },
                                              "What a prompt is put into, with {prompt} in it; \\n is a new line, \\t a tab, \\\\ a backslash")
        ->type_name("TEXT")->default_str(o.frame);
    command->add_option("--max-tokens", o.maxTokens, "At most so many tokens of an answer")->type_name("N")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--temperature", o.temperature, "0: always the likeliest token")->type_name("X")->check(CLI::Range(0.0, 100.0))->capture_default_str();
    addTopP(*command, o.topP);
    command->add_option("--seed", o.seed, "Decides what is drawn")->type_name("N")->capture_default_str();
    command->add_option("--limit", o.limit, "Answer the first N prompts only")->type_name("N")->check(CLI::PositiveNumber);
    addArithmetic(*command, o.arithmetic);
}

}  // namespace owq::cli
