// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/project_look.h"

#include "app/workbench/project_json.h"

namespace owq {
namespace {

using namespace project_json;

constexpr int kMostPixels = 100'000;
constexpr int kMostBlocks = 1'000'000;

Json toJson(const LayerLook& look) {
    Json columns = Json::object();  // their order in the file is the one on screen
    for (const auto& [name, width] : look.columns) columns[str(name)] = width;
    Json j{{"filter", str(look.filter)},   {"regex", look.regex},           {"kinds", project_json::toJson(look.kinds)},
           {"sorted_by", str(look.sortedBy)}, {"descending", look.descending}, {"columns", std::move(columns)}};
    if (look.expanded) j["expanded"] = std::vector<int>(look.expanded->begin(), look.expanded->end());
    return j;
}

LayerLook layersFrom(const Json& j, const std::string& where) {
    LayerLook look;
    look.filter = text(j, "filter", where);
    look.regex = optional<bool>(j, "regex", false, where);
    look.kinds = textsFrom(j, "kinds", where);
    look.sortedBy = text(j, "sorted_by", where, look.sortedBy);
    look.descending = optional<bool>(j, "descending", false, where);
    if (j.contains("expanded")) {
        const std::vector<int> blocks = countsFrom(j["expanded"], "expanded", kMostBlocks, where);
        look.expanded.emplace(blocks.begin(), blocks.end());
    }
    for (const auto& [name, width] : part(j, "columns", where).items())
        look.columns << qMakePair(qstr(name), countsFrom(Json::array({width}), "columns", kMostPixels, where).front());
    return look;
}

PlotsLook plotsFrom(const Json& j, const std::string& where) {
    PlotsLook look;
    look.zoomTogether = optional<bool>(j, "zoom_together", true, where);
    look.asTable = textsFrom(j, "as_table", where);
    for (const Json& sizes : listFrom(j, "sizes", where)) look.sizes.push_back(countsFrom(sizes, "sizes", kMostPixels, where));
    return look;
}

Json toJson(const TryPanel::Choice& choice) { return {{"path", str(choice.model)}, {"task", str(choice.task)}}; }

TryPanel::Choice choiceFrom(const Json& j, const std::string& where) { return {{}, text(j, "path", where), text(j, "task", where)}; }

Json toJson(const TryPanel::Request& r) {
    Json j{{"prompt", str(r.prompt)}, {"tokens", r.maxTokens}, {"temperature", r.temperature}, {"top_p", r.topP},
           {"seed", r.seed},          {"blind", r.blind},      {"model", toJson(r.first)}};
    if (r.secondChosen) j["beside"] = toJson(r.second);
    return j;
}

TryPanel::Request tryFrom(const Json& j, const std::string& where) {
    TryPanel::Request r;
    r.prompt = text(j, "prompt", where);
    r.maxTokens = int(optional<int64_t>(j, "tokens", r.maxTokens, where));
    r.temperature = optional<double>(j, "temperature", r.temperature, where);
    r.topP = optional<double>(j, "top_p", r.topP, where);
    r.seed = quint64(optional<int64_t>(j, "seed", 0, where));
    r.blind = optional<bool>(j, "blind", false, where);
    r.first = choiceFrom(part(j, "model", where), where);
    r.secondChosen = j.contains("beside");
    r.second = choiceFrom(part(j, "beside", where), where);
    return r;
}

Json toJson(const TunePanel::Request& r) {
    return {{"model", str(r.model)}, {"data", str(r.data)},           {"held_out", str(r.validation)},      {"out", str(r.out)},
            {"epochs", r.epochs},    {"learning_rate", r.learningRate}, {"windows_per_step", r.accumulate}, {"tokens", r.sequenceLength},
            {"seed", r.seed}};
}

TunePanel::Request tuneFrom(const Json& j, const std::string& where) {
    TunePanel::Request r;
    r.model = text(j, "model", where);
    r.data = text(j, "data", where);
    r.validation = text(j, "held_out", where);
    r.out = text(j, "out", where);
    r.epochs = int(optional<int64_t>(j, "epochs", r.epochs, where));
    r.learningRate = optional<double>(j, "learning_rate", r.learningRate, where);
    r.accumulate = int(optional<int64_t>(j, "windows_per_step", r.accumulate, where));
    r.sequenceLength = int(optional<int64_t>(j, "tokens", r.sequenceLength, where));
    r.seed = quint64(optional<int64_t>(j, "seed", 0, where));
    return r;
}

}  // namespace

void putLook(Json& project, const ProjectLook& look) {
    Json& plots = project["plots"];
    plots["zoom_together"] = look.plots.zoomTogether;
    plots["as_table"] = project_json::toJson(look.plots.asTable);
    plots["sizes"] = look.plots.sizes;
    project["layers"] = toJson(look.layers);
    Json& tables = project["tables"] = Json::object();
    for (const auto& [panel, order] : look.tables) tables[panel] = {{"sorted_by", order.column}, {"descending", order.descending}};
    project["try_it"] = toJson(look.tryIt);
    project["tune"] = toJson(look.tune);
}

ProjectLook lookFrom(const Json& project, const std::string& where) {
    ProjectLook look;
    look.plots = plotsFrom(part(project, "plots", where), where);
    look.layers = layersFrom(part(project, "layers", where), where);
    const Json& tables = part(project, "tables", where);
    for (const auto& [panel, order] : tables.items()) {
        const Json& table = part(tables, panel.c_str(), where);
        look.tables[panel] = {int(optional<int64_t>(table, "sorted_by", -1, where)), optional<bool>(table, "descending", false, where)};
    }
    look.tryIt = tryFrom(part(project, "try_it", where), where);
    look.tune = tuneFrom(part(project, "tune", where), where);
    return look;
}

}  // namespace owq
