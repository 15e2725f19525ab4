// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/export.h"

#include <algorithm>
#include <chrono>

#include "core/jobs/run_directory.h"
#include "core/model/family.h"
#include "core/model/model_source.h"
#include "core/pack/layer_file.h"
#include "core/pack/packed_model.h"
#include "core/pack/task_file.h"
#include "core/store/run_directory.h"

namespace owq {

ExportResult exportModel(const ExportOptions& options, Progress& progress, std::stop_token stop) {
    const auto start = std::chrono::steady_clock::now();
    const PackFormat format = packFormatFromName(options.format);
    const PackLayout layout = packLayoutFromName(options.layout);
    if (!isRunDirectory(options.run))
        throw Error("is no run directory", options.run.string(), "Export what owq quantize wrote");
    const RunState state = readRunState(options.run);
    if (state.description.value("kind", "") != "run")
        throw Error("holds an analysis, nothing is quantized", options.run.string(), "Run owq quantize first");
    if (!state.complete || state.finished.size() != state.linears.size())
        throw Error("is unfinished: " + std::to_string(state.finished.size()) + " of " + std::to_string(state.linears.size()) +
                        " linears", options.run.string(), "Finish it with owq quantize --resume");
    const RunSummary run = openRun(options.run);

    PackSource source;
    source.base = Checkpoint::open(findModel(options.run, state));
    source.storedTransposed = familyOf(source.base->config(), (source.base->folder() / "config.json").string()).storedTransposed;
    std::optional<Task> task;
    if (!options.task.empty()) task = readTask(options.task);
    source.linear = [&](const std::string& name) {
        QuantizedLinear weight = readLayerFile(layerFile(options.run, name)).weight;
        if (task) applyTask(*task, name, weight, options.task.string());
        return weight;
    };
    progress.report("Reading the run", options.run.filename().string(), 0);
    for (const std::string& name : state.linears) {
        checkStop(stop);
        source.linears.push_back(readLayerShape(layerFile(options.run, name)));
    }
    if (task)
        for (const auto& [name, linear] : task->linears)
            if (std::find(state.linears.begin(), state.linears.end(), name) == state.linears.end())
                throw Error("the task has weak columns for " + name + ", which the run did not quantize", options.task.string(),
                            "Export the run that the task was tuned on");
    const std::vector<LinearInfo> linears = ModelSource::open(source.base->folder())->info().linears;
    for (const LinearInfo& l : linears)
        if (std::find(state.linears.begin(), state.linears.end(), l.name) == state.linears.end()) source.keptLinears.push_back(l.name);
    source.targetBits = run.result.targetBits;
    checkStop(stop);
    const PackResult packed = writeModel(source, {format, layout}, options.out, options.force, progress, stop);

    ExportResult result;
    result.out = packed.out;
    result.format = options.format;
    result.layout = packLayoutName(layout);
    result.bytes = packed.bytes;
    result.packedBytes = packed.packedBytes;
    if (format != PackFormat::dense) result.effectiveBits = effectiveBits(source.linears, packed.packedBytes);
    result.verification = packed.verification;
    result.loadableBy = loadableBy(format);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress.report("Exported", "", 1);
    return result;
}

Json toJson(const ExportResult& r) {
    Json j{{"out", r.out.string()}, {"format", r.format}, {"bytes", r.bytes}, {"verified", true}, {"verification", r.verification},
           {"loadable_by", r.loadableBy}, {"seconds", r.seconds}};
    if (r.packedBytes) {
        j["layout"] = r.layout;
        j["packed_bytes"] = r.packedBytes;
        j["effective_bits"] = {{"paper", r.effectiveBits.paper}, {"stored", r.effectiveBits.stored}};
    }
    return j;
}

}  // namespace owq
