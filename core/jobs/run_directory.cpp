// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/run_directory.h"

#include <map>

#include "core/jobs/quantize_result.h"
#include "core/pack/layer_file.h"
#include "core/store/run_directory.h"
#include "core/store/statistics.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStatistics = "statistics.h5";

bool isAnalysis(const RunState& state) { return state.description.value("kind", "") == "analysis"; }

// Name, kind and block are what names tell; the model itself need not be there any more.
LinearInfo infoFromName(const std::string& name, int64_t rows, int64_t columns) {
    LinearInfo info;
    info.name = name;
    info.rows = rows;
    info.columns = columns;
    return info;
}

LayerReport reportOf(StatisticsEntry entry) {
    LayerReport r;
    r.linear = infoFromName(entry.name, entry.rows, entry.columns);
    r.bits = entry.bits;
    r.weakColumns = std::move(entry.weakColumns);
    r.statistics = std::move(entry.statistics);
    return r;
}

LayerReport readFinished(const fs::path& directory, const std::string& layer) {
    LinearOutcome outcome = readLayerFile(layerFile(directory, layer));
    LayerReport r;
    r.linear = infoFromName(layer, outcome.weight.rows, outcome.weight.columns);
    r.quantized = true;
    r.bits = outcome.weight.bits;
    r.weakColumns = std::move(outcome.weight.weakColumns);
    r.error = outcome.error;
    r.damping = outcome.damping;
    r.statistics = std::move(outcome.statistics);
    r.notes = std::move(outcome.notes);
    return r;
}

}  // namespace

RunSummary openRun(const fs::path& directory) {
    const RunState state = readRunState(directory);
    const std::string where = (directory / "recipe.json").string();
    RunSummary s;
    s.directory = directory;
    s.model = required<std::string>(state.description, "model", where);
    s.analysis = isAnalysis(state);
    s.total = int(state.linears.size());
    s.layerNames = s.analysis && state.complete ? state.linears : state.finished;
    s.done = int(s.layerNames.size());
    s.finished = state.complete && s.done == s.total;
    if (state.description.contains("recipe")) s.recipe = recipeFromJson(state.description["recipe"], where);
    if (state.complete && !s.analysis)
        s.result = quantizeResultFromJson(readJson(directory / "result.json"), (directory / "result.json").string());
    return s;
}

LayerReport readRunLayer(const fs::path& directory, const std::string& layer) {
    if (isAnalysis(readRunState(directory))) return reportOf(readStatisticsEntry(directory / kStatistics, layer));
    if (!fs::exists(layerFile(directory, layer)))
        throw Error("has no finished linear \"" + layer + "\"", directory.string(), "See the names with owq inspect");
    return readFinished(directory, layer);
}

std::vector<LayerReport> readRunLayers(const fs::path& directory, std::stop_token stop) {
    const RunState state = readRunState(directory);
    std::vector<LayerReport> reports;
    if (!isAnalysis(state)) {
        for (const std::string& name : state.finished) {
            checkStop(stop);
            reports.push_back(readFinished(directory, name));
        }
        return reports;
    }
    if (!state.complete) return reports;  // statistics are written at the end
    checkStop(stop);
    std::map<std::string, StatisticsEntry> entries;
    StatisticsFile file = readStatistics(directory / kStatistics);
    for (StatisticsEntry& e : file.layers) entries.emplace(e.name, std::move(e));
    for (const std::string& name : state.linears) {
        checkStop(stop);
        const auto entry = entries.find(name);
        if (entry == entries.end() || entry->second.name != name) throw Error("has no linear \"" + name + "\"", (directory / kStatistics).string());
        reports.push_back(reportOf(std::move(entry->second)));
    }
    return reports;
}

}  // namespace owq
