// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/compare.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"
#include "core/base/file.h"

namespace owq::cli {
namespace {

std::string measured(const ComparedRun& run, const std::string& title, std::optional<double> ComparedPerplexity::*member, int decimals,
                     double factor) {
    for (const ComparedPerplexity& p : run.perplexities)
        if (p.title() == title && p.*member) return fixedText(*(p.*member) * factor, decimals);
    return "";
}

std::string perplexity(const ComparedRun& run, const std::string& title) {
    for (const ComparedPerplexity& p : run.perplexities)
        if (p.title() == title) return fixedText(p.perplexity, 4);
    return "";
}

bool anyDivergence(const CompareResult& result, const std::string& title) {
    return std::any_of(result.runs.begin(), result.runs.end(), [&](const ComparedRun& run) {
        return std::any_of(run.perplexities.begin(), run.perplexities.end(), [&](const auto& p) { return p.title() == title && p.kl; });
    });
}

void printRuns(const CompareResult& result) {
    std::vector<std::string> titles{"run", "method", ">bits", ">paper bits", ">stored bits", ">linears", ">model", ">error", ">time", ">memory"};
    for (const std::string& text : result.texts) {
        titles.push_back(">ppl " + text);
        if (anyDivergence(result, text)) titles.insert(titles.end(), {">KL", ">top-1 %"});
    }
    Table table(titles);
    for (const ComparedRun& r : result.runs) {
        std::vector<std::string> cells{r.name, methodName(r.recipe.method) + (r.recipe.preset == "best" ? ", best" : ""), std::to_string(r.recipe.bits),
                                       fixedText(r.effectiveBits.paper, 4), fixedText(r.effectiveBits.stored, 4), bytesText(r.packedBytes),
                                       bytesText(r.fileBytes), r.error ? numberText(*r.error) : "", durationText(r.seconds), bytesText(r.peakMemoryBytes)};
        for (const std::string& text : result.texts) {
            cells.push_back(perplexity(r, text));
            if (!anyDivergence(result, text)) continue;
            cells.push_back(measured(r, text, &ComparedPerplexity::kl, 4, 1));
            cells.push_back(measured(r, text, &ComparedPerplexity::top1Agreement, 2, 100));
        }
        table.add(std::move(cells));
    }
    table.print(std::cout);
}

/// Two runs: values beside each other. More: their errors, and the bits where they differ.
void printLinears(const CompareResult& result, size_t limit) {
    std::vector<std::string> titles{"linear"};
    const bool pair = result.runs.size() == 2;
    for (size_t r = 0; r < result.runs.size(); ++r) {
        const std::string run = pair ? (r ? " B" : " A") : " " + std::to_string(r + 1);
        titles.insert(titles.end(), {">bits" + run, ">weak" + run, ">error" + run});
    }
    titles.insert(titles.end(), {">shared weak", pair ? ">B / A" : ">largest / smallest"});
    Table table(titles);
    for (size_t i = 0; i < std::min(limit, result.linears.size()); ++i) {
        const ComparedLinear& l = result.linears[i];
        std::vector<std::string> cells{l.name};
        for (const auto& v : l.values) {
            cells.push_back(v.quantized ? std::to_string(v.bits) : "kept");
            cells.push_back(v.quantized ? std::to_string(v.weakColumns.size()) : "");
            cells.push_back(v.error ? numberText(*v.error) : "");
        }
        cells.push_back(std::to_string(l.sharedWeakColumns));
        const auto a = l.values.front().error, b = l.values.back().error;
        const bool known = std::all_of(l.values.begin(), l.values.end(), [](const auto& v) { return v.error.has_value(); });
        cells.push_back(!known || !std::isfinite(l.difference) ? "" : pair ? (*a > 0 ? numberText(*b / *a) : "1") : numberText(std::exp(l.difference)));
        table.add(std::move(cells));
    }
    std::cout << '\n';
    table.print(std::cout);
    if (limit < result.linears.size()) std::cout << "  and " << result.linears.size() - limit << " more that differ less\n";
}

}  // namespace

void addCompare(CommandLine& line) {
    struct Arguments {
        CompareOptions options;
        std::filesystem::path csv;
        size_t limit = 0;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = line.add("compare", "Finished runs side by side: bits, sizes, measurements, and where their linears differ most",
                                 [arguments](Run& run) {
        if (arguments->options.runs.size() < 2) throw UsageError("compare needs two or more run directories");
        const CompareResult result = compare(arguments->options, run.progress, run.stop);
        run.writeResult(toJson(result));
        if (!arguments->csv.empty()) writeText(arguments->csv, toCsv(result));
        run.line.finish();
        printRuns(result);
        printLinears(result, arguments->limit ? arguments->limit : result.linears.size());
    });
    command->add_option("DIR", arguments->options.runs, "Run directories. Perplexities are those that the workbench or owq evaluate DIR --json DIR/evaluation.json left there")
        ->required();
    command->add_option("--csv", arguments->csv, "Write one line for each linear and run")->type_name("FILE");
    command->add_option("--limit", arguments->limit, "Print the N linears that differ most only (default: all)")
        ->type_name("N")->check(CLI::PositiveNumber);
}

}  // namespace owq::cli
