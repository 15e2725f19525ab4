// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/quantize_result.h"

namespace owq {
namespace {

Json toJson(const MemoryForecast& forecast) {
    Json phases = Json::object();
    for (const MemoryPhase& p : forecast.phases) phases[p.name] = p.bytes;
    return {{"peak_bytes", forecast.peak()}, {"activation_bytes", forecast.activations}, {"scratch_file", forecast.scratch},
            {"phases", std::move(phases)}};
}

MemoryForecast forecastFromJson(const Json& j, const char* name, const std::string& where) {
    MemoryForecast forecast;
    if (!j.contains(name)) return forecast;
    const Json& m = j[name];
    forecast.scratch = optional<bool>(m, "scratch_file", false, where);
    forecast.activations = uint64_t(optional<int64_t>(m, "activation_bytes", 0, where));
    if (m.contains("phases") && m["phases"].is_object())
        for (const auto& [phase, bytes] : m["phases"].items())
            if (bytes.is_number_unsigned()) forecast.phases.push_back({phase, bytes.get<uint64_t>()});
    return forecast;
}

}  // namespace

Json toJson(const QuantizeResult& r) {
    Json j;
    j["kind"] = r.dryRun ? "plan" : "run";
    j["device"] = deviceKindName(r.device);
    if (!r.deviceName.empty()) j["device_name"] = r.deviceName;
    j["method"] = methodName(r.recipe.method);
    j["bits"] = r.recipe.bits;
    j["target_bits"] = r.targetBits;
    j["effective_bits"] = {{"paper", r.effectiveBits.paper}, {"stored", r.effectiveBits.stored}};
    j["packed_bytes"] = r.packedBytes;
    j["file_bytes"] = r.fileBytes;
    j["tokens"] = r.tokens;
    j["seconds"] = {{"forward", r.seconds.forward}, {"hessian", r.seconds.hessian}, {"range_search", r.seconds.rangeSearch},
                    {"column_loop", r.seconds.columnLoop}, {"total", r.seconds.total}};
    if (!r.dryRun) j["peak_memory_bytes"] = r.peakMemoryBytes;
    j["memory_forecast"] = toJson(r.forecast);
    if (!r.deviceForecast.phases.empty()) j["device_memory_forecast"] = toJson(r.deviceForecast);
    j["disk_forecast_bytes"] = r.diskBytes;
    j["warnings"] = r.warnings;
    j["recipe"] = toJson(r.recipe);
    Json layers = Json::array();
    for (size_t i = 0; i < r.layers.size(); ++i) {
        const LayerReport& l = r.layers[i];
        Json e{{"name", l.linear.name}, {"rows", l.linear.rows}, {"columns", l.linear.columns}, {"bits", l.bits}};
        if (r.dryRun) {
            e["weak_column_count"] = r.plannedWeakColumns[i];
        } else {
            e["weak_columns"] = l.weakColumns;
            e["error"] = l.error;
            e["damping"] = l.damping;
            if (!l.notes.empty()) e["notes"] = l.notes;
        }
        layers.push_back(std::move(e));
    }
    j["layers"] = std::move(layers);
    return j;
}

QuantizeResult quantizeResultFromJson(const Json& j, const std::string& where) {
    QuantizeResult r;
    if (!j.is_object()) throw Error("expected a JSON object", where);
    if (j.contains("recipe")) r.recipe = recipeFromJson(j["recipe"], where);
    r.targetBits = optional<double>(j, "target_bits", 0, where);
    if (j.contains("effective_bits")) {
        r.effectiveBits.paper = optional<double>(j["effective_bits"], "paper", 0, where);
        r.effectiveBits.stored = optional<double>(j["effective_bits"], "stored", 0, where);
    }
    r.packedBytes = uint64_t(optional<int64_t>(j, "packed_bytes", 0, where));
    r.fileBytes = uint64_t(optional<int64_t>(j, "file_bytes", 0, where));
    r.tokens = optional<int64_t>(j, "tokens", 0, where);
    r.peakMemoryBytes = uint64_t(optional<int64_t>(j, "peak_memory_bytes", 0, where));
    r.forecast = forecastFromJson(j, "memory_forecast", where);
    r.deviceForecast = forecastFromJson(j, "device_memory_forecast", where);
    r.diskBytes = uint64_t(optional<int64_t>(j, "disk_forecast_bytes", 0, where));
    r.device = deviceKindFromName(optional<std::string>(j, "device", "cpu", where));
    r.deviceName = optional<std::string>(j, "device_name", "", where);
    if (j.contains("seconds")) {
        const Json& s = j["seconds"];
        r.seconds = {optional<double>(s, "forward", 0, where), optional<double>(s, "hessian", 0, where),
                     optional<double>(s, "range_search", 0, where), optional<double>(s, "column_loop", 0, where),
                     optional<double>(s, "total", 0, where)};
    }
    if (j.contains("warnings") && j["warnings"].is_array())
        for (const Json& w : j["warnings"])
            if (w.is_string()) r.warnings.push_back(w.get<std::string>());
    if (!j.contains("layers") || !j["layers"].is_array()) throw Error("\"layers\" is not a list", where);
    for (const Json& e : j["layers"]) {
        LayerReport l;
        l.quantized = true;
        l.linear.name = required<std::string>(e, "name", where);
        l.linear.rows = required<int64_t>(e, "rows", where);
        l.linear.columns = required<int64_t>(e, "columns", where);
        l.bits = int(required<int64_t>(e, "bits", where));
        l.error = optional<double>(e, "error", 0, where);
        l.damping = optional<double>(e, "damping", 0, where);
        if (e.contains("weak_columns") && e["weak_columns"].is_array())
            for (const Json& c : e["weak_columns"]) {
                if (!c.is_number_integer()) throw Error("a weak column is not a whole number", where);
                l.weakColumns.push_back(int32_t(c.get<int64_t>()));
            }
        if (e.contains("notes") && e["notes"].is_array())
            for (const Json& n : e["notes"])
                if (n.is_string()) l.notes.push_back(n.get<std::string>());
        r.layers.push_back(std::move(l));
    }
    return r;
}

}  // namespace owq
