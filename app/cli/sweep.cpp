// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/sweep.h"

#include <cmath>
#include <iostream>
#include <set>

#include "app/cli/calibration_options.h"
#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/layer_table.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

std::string cellText(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

void addPerplexities(std::vector<std::string>& cells, const std::vector<SweepPerplexity>& all) {
    for (const SweepPerplexity& p : all) cells.push_back(p.key.empty() ? std::string() : fixedText(p.perplexity, 4));
}

void print(const SweepResult& result, const std::filesystem::path& out) {
    std::vector<std::string> titles{"setting"};
    for (const std::string& key : result.varied) titles.push_back((key == "bits" || key == "target_bits" ? ">" : "") + key);
    for (const char* title : {">paper bits", ">stored bits", ">size"}) titles.push_back(title);
    const bool timed = result.originalTokenSeconds > 0;
    const auto addLatency = [&](std::vector<std::string>& cells, double seconds) {
        if (timed) cells.push_back(seconds > 0 ? fixedText(seconds * 1e3, 3) : std::string());
    };
    if (timed) titles.push_back(">ms a token");
    for (const std::string& text : result.texts) titles.push_back(">ppl " + text);
    for (const char* title : {">time", ""}) titles.push_back(title);
    Table table(titles);

    std::vector<std::string> cells{"original"};
    cells.resize(1 + result.varied.size() + 2);
    cells.push_back(bytesText(result.originalBytes));
    addLatency(cells, result.originalTokenSeconds);
    addPerplexities(cells, result.original);
    table.add(cells);
    for (const SweepRow& row : result.rows) {
        cells = {row.setting.name};
        for (const std::string& key : result.varied) cells.push_back(cellText(row.setting.values[key]));
        if (row.fileBytes > 0)
            cells.insert(cells.end(), {fixedText(row.effectiveBits.paper, 4), fixedText(row.effectiveBits.stored, 4), bytesText(row.fileBytes)});
        else
            cells.insert(cells.end(), {"", "", ""});
        addLatency(cells, row.tokenSeconds);
        addPerplexities(cells, row.perplexity);
        cells.push_back(row.fileBytes > 0 ? durationText(row.seconds) : "");
        cells.push_back(row.state == SweepState::failed ? "failed" : row.reused ? "reused" : "");
        table.add(cells);
    }
    table.print(std::cout);
    std::cout << '\n';
    Table facts = Table::facts();
    facts.add({"results", (out / "sweep.json").string() + ", " + (out / "sweep.csv").string()});
    facts.print(std::cout);

    std::vector<std::string> warnings;
    std::set<std::string> known;
    for (const SweepRow& row : result.rows)
        for (const std::string& warning : row.warnings)
            if (known.insert(warning).second) warnings.push_back(row.setting.name + ": " + warning);
    printWarnings(warnings);
    for (const SweepRow& row : result.rows)
        if (row.state == SweepState::failed) std::cerr << "owq: setting " << row.setting.name << " failed: " << row.error << '\n';
}

}  // namespace

void addSweep(CommandLine& line) {
    struct Arguments {
        SweepOptions options;
        CalibrationArguments calibration;
        std::filesystem::path grid;
        std::vector<std::filesystem::path> texts;
        std::vector<std::string> protocols{"plain"};
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = line.add("sweep", "Quantize with many settings and compare them in a table", [arguments](Run& run) {
        SweepOptions options = arguments->options;
        const CalibrationOptions calibration = arguments->calibration.resolve(false);
        options.grid = arguments->grid.empty() ? defaultGrid(calibration) : readGrid(arguments->grid, calibration);
        arguments->calibration.resolve(options.grid.needsCalibration());
        const auto& protocols = arguments->protocols;
        if (protocols.size() != 1 && protocols.size() != arguments->texts.size())
            throw UsageError("--protocol must be given once, or once for each --text");
        for (size_t i = 0; i < arguments->texts.size(); ++i)
            options.texts.push_back({arguments->texts[i], protocols[protocols.size() == 1 ? 0 : i]});
        const SweepResult result = sweep(options, run.progress, run.stop);
        run.writeResult(toJson(result));
        run.line.finish();
        print(result, options.out);
        if (const size_t failed = result.failed(); failed > 0)
            throw Error(std::to_string(failed) + " of " + std::to_string(result.rows.size()) + " settings failed", "sweep",
                        "The same command tries them again");
    });
    SweepOptions& options = arguments->options;
    command->add_option("MODEL", options.model, "Checkpoint folder, index or shard")->required();
    command->add_option("--out", options.out, "Folder for a run directory of each setting, sweep.json and sweep.csv; "
                                              "finished ones in it are reused")->type_name("DIR")->required();
    command->add_option("--grid-file", arguments->grid,
                        "JSON object of recipe fields and their values, {\"bits\": [3, 4], \"seed\": [0, 1]}: every combination is a "
                        "setting; \"settings\" lists them one by one (default: owq at three targets, optq, rtn, for 3 and 4 bits)")
        ->type_name("FILE");
    command->add_flag("--latency", options.latency, "Time a token through the linears of each setting, packed, and of the original at 16 bits; on this machine, "
                                                    "with the weights read from memory");
    command->add_flag("--force", options.force, "Start over in a folder that holds a sweep");
    arguments->calibration.add(*command);
    constexpr const char* group = "Perplexity";
    command->add_option("--text", arguments->texts, "Measure the perplexity on this text; may be given several times")
        ->type_name("FILE")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->group(group);
    command->add_option("--protocol", arguments->protocols, "wikitext2, ptb, c4 or plain, once or for each text")
        ->check(CLI::IsMember({"wikitext2", "ptb", "c4", "plain"}))->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->group(group)->capture_default_str();
    command->add_option("--evaluation-length", options.evaluationLength,
                        "Tokens of a window (default: the model's maximum, at most 2048)")
        ->type_name("N")->check(CLI::Range(int64_t(2), int64_t(1) << 24))->group(group);
    command->add_option("--max-windows", options.maxWindows, "Score the first N windows only")
        ->type_name("N")->check(CLI::PositiveNumber)->group(group);
}

}  // namespace owq::cli
