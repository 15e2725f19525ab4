// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/quantize.h"

#include <algorithm>
#include <iostream>

#include "app/cli/calibration_options.h"
#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/layer_table.h"
#include "app/cli/progress_line.h"
#include "app/cli/recipe_options.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

std::string bitsText(const QuantizeResult& result) {
    int least = 16, most = 0;
    for (const LayerReport& layer : result.layers)
        if (layer.bits < 16) least = std::min(least, layer.bits), most = std::max(most, layer.bits);
    return (least < most ? std::to_string(least) + " to " + std::to_string(most) : std::to_string(least)) + " bits";
}

/// Before the run: what each of its phases will hold, and what it will write.
void printForecast(const QuantizeResult& result) {
    Table facts = Table::facts();
    const auto add = [&](const MemoryForecast& forecast, const std::string& where) {
        for (const MemoryPhase& p : forecast.phases)
            facts.add({where + ", " + p.name, bytesText(p.bytes - (forecast.scratch ? std::min(p.bytes, forecast.activations) : 0))});
    };
    add(result.forecast, "memory");
    add(result.deviceForecast, "GPU memory");
    facts.add({"disk", bytesText(result.diskBytes) + (result.forecast.scratch ? ", of them " + bytesText(result.forecast.activations) +
                                                                                      " of activations while it runs" : "")});
    std::cout << "forecast\n";
    facts.print(std::cout);
    std::cout << std::endl;  // at once, also into a file: the run may take days
}

void print(const QuantizeResult& result, size_t warningsShown, const std::filesystem::path& out) {
    printLayers(result.layers);
    std::cout << '\n';
    Table facts = Table::facts();
    facts.add({"method", methodName(result.recipe.method) + ", " + bitsText(result)});
    facts.add({"effective bits", fixedText(result.effectiveBits.paper, 4) + " as the paper counts, " +
                                     fixedText(result.effectiveBits.stored, 4) + " stored"});
    facts.add({"packed size", bytesText(result.packedBytes) + " of linears, " + bytesText(result.fileBytes) + " of the whole model"});
    if (!result.dryRun) {
        facts.add({"calibration", countText(result.tokens) + " tokens"});
        facts.add({"time", durationText(result.seconds.total) + ": forward " + durationText(result.seconds.forward) +
                               ", Hessian " + durationText(result.seconds.hessian) + ", range search " +
                               durationText(result.seconds.rangeSearch) + ", column loop " + durationText(result.seconds.columnLoop)});
    }
    if (const MemoryPhase* highest = result.forecast.highest())
        facts.add({"memory forecast", bytesText(result.forecast.peak()) + ", most while " + highest->name +
                                          (result.forecast.scratch ? "; activations in a file" : "")});
    if (const MemoryPhase* most = result.deviceForecast.highest())
        facts.add({"GPU memory forecast", bytesText(result.deviceForecast.peak()) + ", most while " + most->name +
                                              (result.deviceForecast.scratch ? "; activations in the machine's memory" : "")});
    if (!result.dryRun) facts.add({"device", result.device == DeviceKind::cpu ? "CPU" : result.deviceName});
    if (!result.dryRun) facts.add({"peak memory", bytesText(result.peakMemoryBytes)});
    facts.add({result.dryRun ? "plan" : "run directory", out.string()});
    facts.print(std::cout);
    printWarnings({result.warnings.begin() + long(std::min(warningsShown, result.warnings.size())), result.warnings.end()});
}

}  // namespace

void addQuantize(CommandLine& line) {
    struct Arguments {
        QuantizeOptions options;
        CalibrationArguments calibration;
        RecipeArguments recipe;
        double memoryLimit = 0;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = line.add("quantize", "Quantize a model into a run directory", [arguments](Run& run) {
        QuantizeOptions options = arguments->options;
        options.recipe = arguments->recipe.resolve(arguments->calibration.options.seed, !options.budget.empty());
        const bool planOnly = options.dryRun && options.recipe.allocation == "paper";
        options.calibration = arguments->calibration.resolve(options.recipe.method != Method::rtn && !planOnly);
        options.memoryLimit = uint64_t(arguments->memoryLimit * double(1 << 30));
        size_t warningsShown = 0;
        options.onForecast = [&](const QuantizeResult& planned) {
            run.line.clear();
            printForecast(planned);
            printWarnings(planned.warnings);
            warningsShown = planned.warnings.size();
        };
        const QuantizeResult result = quantize(options, run.progress, run.stop);
        run.writeResult(toJson(result));
        run.line.finish();
        print(result, warningsShown, options.out);
    });
    QuantizeOptions& options = arguments->options;
    command->add_option("MODEL", options.model, "Checkpoint folder, index or shard")->required();
    command->add_option("--out", options.out, "Run directory")->type_name("DIR")->required();
    command->add_option("--budget", options.budget, "Bits and weak columns of each linear, as --dry-run writes them; --allocation greedy changes all that are not locked")->type_name("FILE");
    command->add_flag("--dry-run", options.dryRun, "Plan, sizes and memory only; writes budget.json to --out. Greedy allocation looks at the calibration text for it");
    command->add_option("--memory-limit", arguments->memoryLimit, "What the process may hold, GiB (default: what the machine has free)")
        ->type_name("GIB")
        ->check(CLI::Range(0.01, 1e6));
    auto* resume = command->add_flag("--resume", options.resume, "Go on with the run in --out");
    command->add_flag("--force", options.force, "Replace what is in --out")->excludes(resume);
    addDevice(*command, options.device);
    arguments->calibration.add(*command);
    arguments->recipe.add(*command, true);
}

}  // namespace owq::cli
