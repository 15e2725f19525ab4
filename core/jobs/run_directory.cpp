// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/run_directory.h"

#include <algorithm>

#include "core/jobs/quantize_result.h"
#include "core/pack/layer_file.h"
#include "core/store/run_directory.h"
#include "core/store/statistics.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

bool isAnalysis(const RunState& state) { return state.description.value("kind", "") == "analysis"; }

// Name, kind and block are what names tell; the model itself need not be there any more.
LinearInfo infoFromName(const std::string& name, int64_t rows, int64_t columns) {
    LinearInfo info;
    info.name = name;
    info.rows = rows;
    info.columns = columns;
    return info;
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
    const RunState state = readRunState(directory);
    LayerReport r;
    if (isAnalysis(state)) {
        StatisticsFile file = readStatistics(directory / "statistics.h5");
        const auto it = std::find_if(file.layers.begin(), file.layers.end(), [&](auto& l) { return l.name == layer; });
        if (it == file.layers.end()) throw Error("has no linear \"" + layer + "\"", (directory / "statistics.h5").string());
        StatisticsEntry& e = *it;
        r.linear = infoFromName(layer, e.rows, e.columns);
        r.bits = e.bits;
        r.weakColumns = std::move(e.weakColumns);
        r.statistics = std::move(e.statistics);
        return r;
    }
    if (!fs::exists(layerFile(directory, layer)))
        throw Error("has no finished linear \"" + layer + "\"", directory.string(), "See the names with owq inspect");
    LinearOutcome outcome = readLayerFile(layerFile(directory, layer));
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

}  // namespace owq
