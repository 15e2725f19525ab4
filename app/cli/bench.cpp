// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/bench.h"

#include <unistd.h>

#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"
#include "app/cli/renderer.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

std::string timesText(double faster) { return fixedText(faster, 2) + "x"; }

void print(const BenchResult& r) {
    Table facts = Table::facts();
    facts.add({"model", r.model});
    const bool gpu = r.device == DeviceKind::cuda;
    if (gpu) {
        facts.add({"device", r.deviceName + (r.recorded ? ", launches recorded and repeated as one"
                                                        : ", times hold what launching takes the CPU: not all work could be recorded")});
        facts.add({"arithmetic", r.arithmetic});
        facts.add({"copy rate", fixedText(r.readRate * 1e-9, 0) + " GB/s, read and written when its memory was copied"});
    } else {
        facts.add({"arithmetic", r.arithmetic + ", " + std::to_string(r.threads) + (r.threads == 1 ? " thread" : " threads")});
        facts.add({"read rate", fixedText(r.readRate * 1e-9, 1) + " GB/s, the most this machine was measured to read"});
    }
    facts.print(std::cout);
    std::cout << '\n';
    bool grouped = false, merged = false;
    for (const BenchLayer& l : r.layers) {
        grouped = grouped || l.groupSize;
        merged = merged || !l.merged.empty();
    }
    std::vector<std::string> heads{">rows", ">columns", ">bits", ">weak", ">count", ">batch", gpu ? ">us" : ">ms", ">GB/s",
                                   gpu ? ">of copy rate" : ">of read rate", ">fp16 takes", ">fp32 takes", ">weak cost"};
    if (grouped) heads.insert(heads.begin() + 3, ">group");
    Table table(heads);
    for (const BenchLayer& l : r.layers) {
        std::vector<std::string> cells{countText(l.rows), countText(l.columns), std::to_string(l.bits), std::to_string(l.weakColumns),
                                       l.merged.empty() ? std::to_string(l.count) : l.merged, std::to_string(l.batch),
                                       gpu ? fixedText(l.seconds * 1e6, 2) : fixedText(l.seconds * 1e3, 3),
                                       fixedText(l.bytesPerSecond() * 1e-9, gpu ? 0 : 1), fixedText(100 * l.bytesPerSecond() / r.readRate, 0) + " %",
                                       timesText(l.halfSeconds / l.seconds), timesText(l.floatSeconds / l.seconds),
                                       l.weakColumns ? fixedText(100 * (l.seconds / l.withoutWeakSeconds - 1), 1) + " %" : ""};
        if (grouped) cells.insert(cells.begin() + 3, l.groupSize ? std::to_string(l.groupSize) : "row");
        table.add(cells);
    }
    table.print(std::cout);
    if (merged) std::cout << "\nRows named q+k+v or gate+up are these linears in one launch; they count in no total.\n";
    std::cout << '\n';
    Table totals = Table::facts();
    for (const BenchTotal& t : r.totals)
        totals.add({(t.bits ? std::to_string(t.bits) + " bits" : std::string("layers")) + ", batch " + std::to_string(t.batch),
                    fixedText(t.tokensPerSecond, 2) + " tokens a second through the packed linears; fp16 " + fixedText(t.halfTokensPerSecond, 2) +
                        ", fp32 " + fixedText(t.floatTokensPerSecond, 2)});
    if (r.head)
        totals.add({"head", countText(r.head->rows) + " x " + countText(r.head->columns) + ", " + std::to_string(r.head->bits) + " bits: " +
                                fixedText(r.head->seconds * 1e3, 3) + " ms a token, " +
                                fixedText(100 * double(r.head->bytes) / r.head->seconds / r.readRate, 0) + (gpu ? " % of the copy rate" : " % of the read rate")});
    if (r.whole) {
        const std::string whole = r.quantized ? "whole model" : "whole model as it is, not quantized";
        totals.add({"prompt", fixedText(double(r.whole->promptTokens) / r.whole->promptSeconds, 1) + " tokens a second, " +
                                  countText(r.whole->promptTokens) + " tokens, " + whole});
        totals.add({"new tokens", fixedText(double(r.whole->newTokens) / r.whole->decodeSeconds, 2) + " a second, " + countText(r.whole->newTokens) +
                                      " one by one, " + whole});
    }
    totals.print(std::cout);
}

/// The renderer reads a file: one that is gone afterwards.
void draw(const Json& result, const std::filesystem::path& figure, const std::stop_token& stop) {
    struct Passed {
        std::filesystem::path file = std::filesystem::temp_directory_path() / ("owq-bench-" + std::to_string(getpid()) + ".json");
        ~Passed() {
            std::error_code ignored;
            std::filesystem::remove(file, ignored);
        }
    } const passed;
    writeJson(passed.file, result);
    renderFigure(passed.file, "speed", figure, {}, stop);
}

}  // namespace

void addBench(CommandLine& line) {
    auto options = std::make_shared<BenchOptions>();
    auto figure = std::make_shared<std::filesystem::path>();
    CLI::App* command = line.add("bench", "Time the packed layers, and the whole model", [options, figure](Run& run) {
        if (!figure->empty()) checkFigureName(*figure);
        if (options->model.empty() == options->synthetic.empty()) throw UsageError("give a MODEL, or --synthetic NAME in its place");
        if (options->headBits != 16 && options->model.empty()) throw UsageError("--head-bits needs a MODEL: synthetic shapes have no head");
        if (options->groupSize % 32) throw UsageError("--group-size must be a multiple of 32");
        if (options->arithmetic == Arithmetic::dense) throw UsageError("--arithmetic dense has no packed layers to time");
        const BenchResult result = bench(*options, run.progress, run.stop);
        const Json json = toJson(result);
        run.writeResult(json);
        run.line.finish();
        print(result);
        if (!figure->empty()) draw(json, *figure, run.stop);
    });
    command->add_option("MODEL", options->model, "Checkpoint, run directory or packed model");
    command->add_option("--model", options->modelFolder, "Folder with config and tokenizer, for a lone .pth")->type_name("DIR");
    command->add_option("--synthetic", options->synthetic, "The layer shapes of llama-7b, opt-66b or llama-70b, without a model")
        ->type_name("NAME")->check(CLI::IsMember({"llama-7b", "opt-66b", "llama-70b"}));
    command->add_option("--bits", options->bits, "Widths of layers that are not quantized, with the weak columns of 0.01 bits more")
        ->type_name("N,…")->delimiter(',')->check(CLI::IsMember({2, 3, 4, 8}))->capture_default_str();
    command->add_option("--batch", options->batches, "Tokens multiplied at once")
        ->type_name("N,…")->delimiter(',')->check(CLI::Range(1, 4096))->capture_default_str();
    command->add_option("--group-size", options->groupSize, "Columns that share a grid, of layers that are not quantized; 0: a grid for each row")
        ->type_name("N")->check(CLI::Range(0, 1 << 20))->capture_default_str();
    addArithmetic(*command, options->arithmetic);
    addDevice(*command, options->device);
    command->add_option("--prompt-tokens", options->promptTokens, "Length of the prompt of the whole model (default: 512, or what fits its positions)")
        ->type_name("N")->check(CLI::PositiveNumber);
    command->add_option("--new-tokens", options->newTokens, "New tokens of the whole model; 0: time its layers only")
        ->type_name("N")->check(CLI::NonNegativeNumber)->capture_default_str();
    command->add_option("--head-bits", options->headBits, "Round the head to so many bits when it is loaded; 16: as stored")
        ->type_name("N")->check(CLI::IsMember({2, 3, 4, 8, 16}))->capture_default_str();
    command->add_option_function<int64_t>("--working-set", [options](int64_t mebibytes) { options->workingSet = mebibytes << 20; },
                                          "Weights of each layer that are read in turn (default: at least twice what the caches hold)")
        ->type_name("MIB")->check(CLI::Range(int64_t(1), int64_t(1) << 20));
    command->add_option("--seconds", options->seconds, "Time of one measurement, at least")
        ->type_name("X")->check(CLI::Range(0.0, 3600.0))->capture_default_str();
    command->add_option("--csv", options->csv, "Write the layers' times as a table")->type_name("FILE");
    command->add_option("--figure", *figure, "Draw the layers' times against fp16: .pdf, .svg or .png")->type_name("FILE");
}

}  // namespace owq::cli
