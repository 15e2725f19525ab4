// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/quantize.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "core/base/memory.h"
#include "core/jobs/quantize_result.h"
#include "core/jobs/quantize_shared.h"
#include "core/jobs/run_description.h"
#include "core/jobs/threads.h"
#include "core/pipeline/device_memory.h"
#include "core/pipeline/quantize_model.h"
#include "core/store/run_directory.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

constexpr const char* kAllocatedFrom = "allocated_from";  ///< in a run's description: the budget before a greedy allocation

/// As the authors' code has it: for Falcon "paper" damps with 1 in place of 0.01, unless told otherwise.
Recipe ofFamily(Recipe recipe, const std::string& family) {
    if (family == "falcon" && recipe.preset == "paper" && recipe.method != Method::rtn && recipe.damping == Recipe{}.damping) recipe.damping = 1;
    return recipe;
}

std::string twoDigits(double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", v);
    return text;
}

bool budgetGiven(const QuantizeOptions& options) { return options.plan || !options.budget.empty(); }

BudgetPlan planOf(const QuantizeOptions& options, const ModelInfo& info) {
    if (!budgetGiven(options)) return planBudget(info, options.recipe);
    checkRecipe(options.recipe);
    const std::string where = options.plan ? "the budget" : options.budget.string();
    BudgetPlan plan = budgetFromJson(options.plan ? toJson(*options.plan) : readJson(options.budget), info, where);
    bool any = false;
    for (const LinearBudget& b : plan.linears) {
        any |= b.bits < 16;
        if (b.weakColumns > 0 && options.recipe.method != Method::owq)
            throw Error(b.name + ": weak columns belong to the method owq, not to " + methodName(options.recipe.method), where,
                        "Set its weak_columns to 0, or choose the method owq");
    }
    if (!any) throw Error("keeps every linear at 16 bits: nothing is left to quantize", where, "Give at least one linear 2, 3, 4 or 8 bits");
    return plan;
}

// What --target-bits says; a budget file that came without one is its own target.
double targetOf(const QuantizeOptions& options, const EffectiveBits& bits) {
    return !budgetGiven(options) || options.recipe.targetBits > 0 ? targetBits(options.recipe) : bits.paper;
}

// What the formats and kernels cannot hold is refused before any work.
void checkShapes(const ModelInfo& info, const Recipe& recipe, const BudgetPlan& plan) {
    for (const LinearInfo& l : info.linears) {
        const LinearBudget* b = plan.find(l.name);
        if (!b || b->bits >= 16) continue;
        if (recipe.groupSize > 0 && l.columns % recipe.groupSize != 0)
            throw Error("its " + std::to_string(l.columns) + " columns do not divide into groups of " +
                            std::to_string(recipe.groupSize), l.name, "Choose a group size that divides every linear, or 0");
        if (b->weakColumns >= l.columns && l.columns > 0 && b->weakColumns > 0)
            throw Error("all of its " + std::to_string(l.columns) + " columns would be weak", l.name, "Lower the target, or keep it at 16 bits");
    }
}

void addPlanWarnings(const ModelInfo& info, const QuantizeOptions& options, const BudgetPlan& plan, QuantizeResult& result) {
    if (options.recipe.method != Method::owq || options.recipe.weakColumns >= 0 || budgetGiven(options)) return;
    for (const LinearBudget& b : plan.linears)
        if (b.weakColumns > 0) return;
    std::string text = "a target of " + twoDigits(result.targetBits) + " bits gives no weak column in a model this small";
    if (const double useful = smallestUsefulTarget(info, options.recipe); useful > 0)
        text += ": the smallest target that gives any is " + twoDigits(useful);
    result.warnings.push_back(text);
}

// Codes take a byte each in a layer file; statistics and scales are small beside them.
uint64_t runBytes(const ModelInfo& info, const BudgetPlan& plan) {
    uint64_t bytes = 16 << 20;
    for (const LinearInfo& l : info.linears) {
        const LinearBudget* b = plan.find(l.name);
        if (b && b->bits < 16)
            bytes += uint64_t(l.rows * l.columns) + uint64_t(l.rows) * (8 + 2 * uint64_t(b->weakColumns)) + uint64_t(l.columns) * 64 + 4096;
    }
    return bytes;
}

std::string gigabytes(uint64_t bytes) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f GiB", double(bytes) / double(1 << 30));
    return text;
}

/// Of a run that a GPU computes: its own memory, then what is left to the machine's. Without the GPU at hand (a plan) nothing is refused.
void planDeviceMemory(const QuantizeOptions& options, const ModelInfo& info, const PipelineInput& input, int64_t windows, int64_t length,
                      uint64_t resident, QuantizeResult& result) {
    MemoryForecast& there = result.deviceForecast;
    there = forecastDeviceMemory(info, input.recipe, input.plan, windows, length, tokensPerPass(DeviceKind::cuda));
    if (const uint64_t free = input.device ? freeMemoryBytes(*input.device) : 0; free && there.peak() > free) {
        const uint64_t whole = there.peak();
        there.scratch = true;
        if (there.peak() > free)
            throw Error("this run needs about " + gigabytes(there.peak()) + " of the GPU's memory even with its activations elsewhere, and " +
                            gigabytes(free) + " are free",
                        result.deviceName, "Close what else uses the GPU, use a larger one, or use --device cpu");
        result.warnings.push_back("the run would need about " + gigabytes(whole) + " of the GPU's memory, of which " + gigabytes(free) +
                                  " are free: the activations, " + gigabytes(there.activations) + ", stay in the machine's");
    }
    // Errors that are predicted for an allocation are measured on the CPU.
    result.forecast = input.recipe.allocation == "greedy" ? forecastMemory(info, input.recipe, input.plan, windows, length, resident, threads())
                                                          : forecastHostMemory(info, input.recipe, input.plan, windows, length, resident, there.scratch);
}

/// Makes the forecast and decides where the activations go. Throws Error when the run cannot fit.
void planMemory(const QuantizeOptions& options, const ModelInfo& info, const PipelineInput& input, int64_t windows, int64_t length,
                QuantizeResult& result) {
    if (input.device) result.deviceName = deviceName(*input.device);
    const uint64_t resident = residentMemoryBytes();
    if (options.device == DeviceKind::cuda)
        planDeviceMemory(options, info, input, windows, length, resident, result);
    else
        result.forecast = forecastMemory(info, input.recipe, input.plan, windows, length, resident, threads());
    const uint64_t limit = options.memoryLimit ? options.memoryLimit : resident + availableMemoryBytes();
    const uint64_t peak = result.forecast.peak();
    if (peak <= limit) return;
    result.forecast.scratch = true;
    const uint64_t least = result.forecast.peak();
    if (least > limit)
        throw Error("this run needs about " + gigabytes(least) + " of memory even with its activations on the disk, and may use " +
                        gigabytes(limit),
                    options.model.string(),
                    "Close other programs or use a larger machine; without input correction and refinement a run needs less");
    result.warnings.push_back("the run would need about " + gigabytes(peak) + " of memory and may use " + gigabytes(limit) +
                              ": the activations, " + gigabytes(result.forecast.activations) + ", are kept in a file");
}

/// Number of windows and their length; of a plan, for which no text has been read, what the options ask for.
std::pair<int64_t, int64_t> windowsOf(const QuantizeOptions& options, const ModelSource& model, const TokenWindows* windows) {
    const CalibrationOptions& c = options.calibration;
    if (windows) return {windows->count(), windows->length};
    if (options.recipe.method == Method::rtn) return {0, 0};
    if (c.tokens.empty()) return {c.samples, resolveSequenceLength(c.sequenceLength, model.info())};
    const TokenWindows planned = loadCalibration(c, model);
    return {planned.count(), planned.length};
}

/// The budget that a run which is to go on was begun with: to look at the model again would only find the same. Not where it was allocated
/// from another one.
std::optional<BudgetPlan> begunPlan(const QuantizeOptions& options, const ModelInfo& info, const Json& allocatedFrom) {
    if (!options.resume || options.force || !isRunDirectory(options.out)) return {};
    const Json description = readRunState(options.out).description;
    if (!description.contains(kAllocatedFrom) || description[kAllocatedFrom] != allocatedFrom)
        throw Error("cannot be resumed: the budget that its bits and weak columns were allocated from differs", options.out.string(),
                    "Use the same budget file, or replace the run with --force");
    if (!description.contains("budget") || !description["budget"].is_array()) return {};
    const std::string where = (options.out / "recipe.json").string();
    BudgetPlan plan;
    for (const LinearInfo& l : info.linears) plan.linears.push_back({l.name, 16});
    for (const Json& entry : description["budget"]) {
        const auto name = required<std::string>(entry, "name", where);
        const auto it = std::find_if(plan.linears.begin(), plan.linears.end(), [&](const LinearBudget& b) { return b.name == name; });
        if (it == plan.linears.end()) return {};  // another model: the comparison of the descriptions says so
        it->bits = int(required<int64_t>(entry, "bits", where));
        it->weakColumns = required<int64_t>(entry, "weak_columns", where);
    }
    return plan;
}

LayerReport reportOf(const LinearInfo& linear, const LinearOutcome& outcome) {
    LayerReport r;
    r.linear = linear;
    r.quantized = true;
    r.bits = outcome.weight.bits;
    r.weakColumns = outcome.weight.weakColumns;
    r.error = outcome.error;
    r.damping = outcome.damping;
    r.statistics = outcome.statistics;
    r.notes = outcome.notes;
    return r;
}

// A finished run has nothing left to compute: the calibration windows need not run through it again.
QuantizeResult finishedResult(const RunDirectory& directory, const ModelInfo& info, const QuantizeOptions& options,
                              Progress& progress, std::stop_token stop) {
    const fs::path file = directory.path() / "result.json";
    QuantizeResult result = quantizeResultFromJson(readJson(file), file.string());
    for (LayerReport& layer : result.layers) {
        checkStop(stop);
        if (const LinearInfo* linear = info.find(layer.linear.name)) layer.linear = *linear;
        if (options.onLayer) options.onLayer(reportOf(layer.linear, directory.load(layer.linear.name)));
    }
    progress.setSpan(0, 1);
    progress.report("Quantized", "", 1);
    return result;
}

}  // namespace

QuantizeResult quantize(const QuantizeOptions& options, Progress& progress, std::stop_token stop) {
    return quantizeShared(options, {}, progress, stop);
}

QuantizeResult quantizeShared(const QuantizeOptions& options, const SharedInputs& shared, Progress& progress, std::stop_token stop) {
    PipelineInput input;
    // A finished run is only read again: it needs neither GPU, memory nor space.
    const bool looksFinished = options.resume && fs::exists(options.out / "result.json");
    if (!options.dryRun && !looksFinished) input.device = openDevice(options.device);
    input.model = ModelSource::open(options.model);
    const ModelInfo& info = input.model->info();
    if (input.model->kind() != ModelKind::checkpoint)
        throw Error("is already quantized", options.model.string(), "Open the original checkpoint");
    input.recipe = ofFamily(options.recipe, info.family);
    input.plan = planOf(options, info);
    checkShapes(info, input.recipe, input.plan);
    if (!options.dryRun && options.out.empty()) throw Error("no output folder is given");

    QuantizeResult result;
    result.recipe = input.recipe;
    result.device = options.device;
    progress.setSpan(0, 0.02);
    TokenWindows windows;
    const bool greedy = input.recipe.allocation == "greedy" && !(options.dryRun && options.withoutAllocation);
    if (input.recipe.method != Method::rtn && (greedy || !options.dryRun)) {
        progress.report("Reading the calibration text", "", 0);
        if (!shared.windows) windows = loadCalibration(options.calibration, *input.model);
        input.windows = shared.windows ? shared.windows : &windows;
        result.tokens = int64_t(input.windows->ids.size());
        result.warnings.insert(result.warnings.end(), input.windows->warnings.begin(), input.windows->warnings.end());
    }
    const auto [count, length] = windowsOf(options, *input.model, input.windows);
    if (!looksFinished) {
        planMemory(options, info, input, count, length, result);
        const uint64_t whole = runBytes(info, input.plan);
        result.diskBytes = whole - std::min(whole, layerBytes(options.out)) + (result.forecast.scratch ? result.forecast.activations : 0);
        if (options.onForecast) options.onForecast(result);
    }
    double begin = 0.02;
    const Json allocatedFrom = greedy ? toJson(input.plan) : Json();
    if (greedy) {
        if (const auto plan = begunPlan(options, info, allocatedFrom)) {
            input.plan = *plan;
        } else {
            if (!options.resume && !options.force && !options.dryRun) RunDirectory::refuseIfThere(options.out);
            if (result.forecast.scratch) input.scratch = existingFolder(options.out.empty() ? fs::temp_directory_path() : options.out);
            begin = 0.25;
            progress.setSpan(0.02, begin);
            input.plan = allocateGreedy(info, input.recipe, input.plan, predictLosses(input, progress, stop));
        }
    }
    result.effectiveBits = effectiveBits(info, input.plan, input.recipe.groupSize);
    result.targetBits = targetOf(options, result.effectiveBits);
    result.packedBytes = plannedPackedBytes(info, input.plan, input.recipe.groupSize);
    result.fileBytes = plannedFileBytes(info, input.plan, input.recipe.groupSize);
    addPlanWarnings(info, options, input.plan, result);
    if (options.dryRun) {
        result.dryRun = true;
        for (const LinearBudget& b : input.plan.linears) {
            LayerReport r;
            r.linear = *info.find(b.name);
            r.bits = b.bits;
            result.layers.push_back(std::move(r));
            result.plannedWeakColumns.push_back(b.weakColumns);
        }
        if (!options.out.empty()) {
            fs::create_directories(options.out);
            writeJson(options.out / "budget.json", toJson(input.plan));
        }
        return result;
    }
    Json description = describeRun("run", options.model, *input.model, input.recipe, input.plan,
                                         input.windows ? &options.calibration : nullptr, input.windows, options.out, progress, stop,
                                         shared.modelFiles, options.device);
    if (greedy) description[kAllocatedFrom] = allocatedFrom;
    if (!looksFinished) requireSpace(options.out, result.diskBytes);
    const auto ifThere = options.force    ? RunDirectory::IfThere::replace
                         : options.resume ? RunDirectory::IfThere::resume
                                          : RunDirectory::IfThere::refuse;
    const auto directory = RunDirectory::open(options.out, description, ifThere, info.dtype);
    if (directory->complete()) return finishedResult(*directory, info, options, progress, stop);
    if (looksFinished) {
        input.device = openDevice(options.device);
        planMemory(options, info, input, count, length, result);
    }
    for (const std::string& w : result.warnings) directory->log("warning: " + w);

    for (const MemoryPhase& p : result.forecast.phases) directory->log("memory forecast, " + p.name + ": " + gigabytes(p.bytes));
    for (const MemoryPhase& p : result.deviceForecast.phases) directory->log("forecast of the GPU's memory, " + p.name + ": " + gigabytes(p.bytes));
    directory->log("forecast of the disk: " + gigabytes(result.diskBytes));
    if (input.device) directory->log("computing on " + result.deviceName);
    input.activationsApart = result.deviceForecast.scratch;
    const bool inMachine = !input.device || input.activationsApart;
    input.scratch = result.forecast.scratch && inMachine ? options.out : fs::path();

    progress.setSpan(begin, 0.98);
    try {
        result.seconds = quantizeModel(
            input, *directory,
            [&](const LinearInfo& linear, const LinearOutcome& outcome, bool) {
                LayerReport report = reportOf(linear, outcome);
                if (options.onLayer) options.onLayer(report);
                report.statistics = {};
                result.layers.push_back(std::move(report));
            },
            progress, stop);
    } catch (const Cancelled&) {
        directory->log("stopped on request with " + std::to_string(directory->finishedCount()) + " finished linears");
        throw;
    } catch (const std::exception& e) {
        directory->log(std::string("failed: ") + e.what());
        throw;
    }
    progress.setSpan(0.98, 1);
    progress.report("Writing the statistics", "", 0);
    directory->finish(info.family, [&result] {
        result.peakMemoryBytes = peakMemoryBytes();  // with what saving took
        return toJson(result);
    });
    progress.setSpan(0, 1);
    progress.report("Quantized", "", 1);
    return result;
}

}  // namespace owq
