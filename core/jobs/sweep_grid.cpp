// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/sweep_grid.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "core/budget/budget.h"

namespace owq {
namespace {

constexpr const char* kDefaultGrid = R"({"settings": [
    {"bits": 3, "method": "owq", "target_bits": [3.01, 3.05, 3.1]},
    {"bits": 3, "method": ["optq", "rtn"]},
    {"bits": 4, "method": "owq", "target_bits": [4.01, 4.05, 4.1]},
    {"bits": 4, "method": ["optq", "rtn"]}]})";
constexpr size_t kLongestName = 100;

const std::vector<std::string>& knownKeys() {
    static const std::vector<std::string> keys = [] {
        std::vector<std::string> all;
        const Json recipe = toJson(Recipe());
        for (const auto& [key, value] : recipe.items()) all.push_back(key);
        all.push_back("samples");
        return all;
    }();
    return keys;
}

std::string canonical(const std::string& key, const std::string& where) {
    if (key == "calibration.seed") return "seed";
    if (key == "calibration.samples") return "samples";
    if (std::find(knownKeys().begin(), knownKeys().end(), key) != knownKeys().end()) return key;
    std::string all;
    for (const std::string& known : knownKeys()) all += (all.empty() ? "" : ", ") + known;
    throw Error("\"" + key.substr(0, 80) + "\" is no field of a recipe", where, "Known are " + all);
}

bool isScalar(const Json& value) { return value.is_string() || value.is_number() || value.is_boolean(); }

// The keys of one object by their canonical names, values checked to be scalars or arrays of them.
Json cleaned(const Json& object, const std::string& where) {
    Json clean = Json::object();
    for (const auto& [key, value] : object.items()) {
        if (key == "settings" || key == "name") continue;
        const std::string known = canonical(key, where);
        if (clean.contains(known)) throw Error("\"" + known + "\" is given twice", where);
        if (value.is_array() && value.empty()) throw Error("\"" + key + "\" is an empty list", where, "Leave it out, or give it values");
        const bool good = value.is_array() ? std::all_of(value.begin(), value.end(), isScalar) : isScalar(value);
        if (!good) throw Error("\"" + key + "\" is neither a value nor a list of values", where);
        clean[known] = value;
    }
    return clean;
}

// What a person reads and names are made of: fields that mean nothing to a setting are null.
Json effective(const SweepSetting& s) {
    Json j = toJson(s.recipe);
    if (s.recipe.method != Method::owq || s.recipe.weakColumns >= 0)
        j["target_bits"] = nullptr;
    else
        j["target_bits"] = targetBits(s.recipe);
    if (s.recipe.weakColumns < 0) j["weak_columns"] = nullptr;
    if (s.recipe.method != Method::owq) j["weak_metric"] = j["weak_layers"] = nullptr;
    j["samples"] = s.calibration.samples;
    if (s.recipe.method == Method::rtn) j["samples"] = j["seed"] = nullptr;  // nothing is calibrated
    return j;
}

std::string asWord(const std::string& key, const Json& value) {
    static const std::map<std::string, std::string> prefixes{
        {"target_bits", "t"}, {"weak_columns", "k"}, {"group_size", "g"}, {"damping", "d"}, {"layers", "layers-"},
        {"weak_layers", "weak-"}, {"seed", "seed"}, {"samples", "n"}};
    if (value.is_null()) return {};
    if (value.is_boolean()) return (value.get<bool>() ? "" : "no-") + key;
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (key == "bits") return text + "bit";
    if (text.empty()) text = "all";
    const auto prefix = prefixes.find(key);
    return prefix == prefixes.end() ? text : prefix->second + text;
}

// Names become folders, typed in shells and on other systems.
std::string shortName(const Json& values) {
    std::string name;
    for (const auto& [key, value] : values.items())
        if (const std::string word = asWord(key, value); !word.empty()) name += (name.empty() ? "" : "-") + word;
    for (char& c : name) {
        if (c == '_') c = '-';
        if (c == ',' || c == ' ') c = '+';
        if (!std::isalnum(uint8_t(c)) && c != '-' && c != '+' && c != '.') c = 'x';
    }
    if (name.empty() || name[0] == '.') name = "setting" + name;
    return name.substr(0, kLongestName);
}

void checkName(const std::string& name, const std::string& where) {
    const bool bad = name.empty() || name.size() > kLongestName || name[0] == '.' || name[0] == '-' || name.starts_with("sweep.") ||
                     std::any_of(name.begin(), name.end(), [](char c) { return c == '/' || c == '\\' || uint8_t(c) < 0x20 || c == 0x7f; });
    if (bad) throw Error("\"" + name.substr(0, 80) + "\" cannot be the name of a setting: it becomes the name of a folder", where);
}

// An object whose values may be lists, to be multiplied out.
struct Entry {
    Json values;
    std::string name, where;
};

std::vector<Entry> entriesOf(const Json& grid, const std::string& where) {
    if (!grid.is_object()) throw Error("is not a JSON object of settings", where, "Write {\"bits\": [3, 4]} for instance");
    if (grid.contains("name")) throw Error("\"name\" stands outside of \"settings\"", where, "Each setting has its own name");
    const Json common = cleaned(grid, where);
    if (!grid.contains("settings")) {
        if (common.empty()) throw Error("names no setting", where, "Write {\"bits\": [3, 4]} for instance");
        return {{common, {}, where}};
    }
    const Json& list = grid["settings"];
    if (!list.is_array() || list.empty()) throw Error("\"settings\" is not a list of objects", where);
    if (list.size() > kMostSettings)
        throw Error("\"settings\" lists " + std::to_string(list.size()) + ", more than " + std::to_string(kMostSettings), where);
    std::vector<Entry> entries;
    for (size_t i = 0; i < list.size(); ++i) {
        const std::string at = where + ", entry " + std::to_string(i + 1) + " of settings";
        if (!list[i].is_object()) throw Error("is not a JSON object", at);
        if (list[i].contains("settings")) throw Error("\"settings\" stands inside of \"settings\"", at);
        Entry entry{common, optional<std::string>(list[i], "name", "", at), at};
        if (list[i].contains("name")) checkName(entry.name, at);
        entry.values.update(cleaned(list[i], at));
        entries.push_back(std::move(entry));
    }
    return entries;
}

size_t combinations(const Entry& entry) {
    size_t count = 1;
    for (const auto& [key, value] : entry.values.items()) {
        if (value.is_array()) count *= value.size();
        if (count > kMostSettings) break;  // far from overflowing: a file has fewer values than 2^32
    }
    return count;
}

// Combination `index`, the last key varying fastest.
Json pick(const Entry& entry, size_t index) {
    Json picked = entry.values;
    std::vector<std::string> keys;
    for (const auto& [key, value] : entry.values.items()) keys.push_back(key);
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
        const Json& value = entry.values[*key];
        if (!value.is_array()) continue;
        picked[*key] = value[index % value.size()];
        index /= value.size();
    }
    return picked;
}

SweepSetting settingOf(const Json& values, const CalibrationOptions& base, const Entry& entry) {
    const std::string where = entry.where + ", setting " + values.dump().substr(0, 200);
    SweepSetting s;
    s.calibration = base;
    const int64_t seed = optional<int64_t>(values, "seed", int64_t(base.seed), where);
    if (seed < 0 && values.contains("seed")) throw Error("the seed must not be negative", where);
    s.calibration.samples = optional<int64_t>(values, "samples", base.samples, where);
    if (s.calibration.samples < 1 || s.calibration.samples > int64_t(1) << 30)
        throw Error("\"samples\" must be at least 1 and at most 2^30", where);
    try {
        s.recipe = recipeFromJson(values, where);
    } catch (const Error& e) {
        throw Error(e.happened(), where, e.remedy());
    }
    s.recipe.seed = s.calibration.seed = values.contains("seed") ? uint64_t(seed) : base.seed;
    s.name = entry.name;
    return s;
}

void nameSettings(SweepGrid& grid, const std::vector<Json>& all, const std::vector<std::string>& own, const std::string& where) {
    std::set<std::string> taken;
    for (const std::string& name : own)
        if (!name.empty() && !taken.insert(name).second)
            throw Error("two settings have the name \"" + name + "\"", where, "Give each its own, or none");
    for (size_t i = 0; i < grid.settings.size(); ++i) {
        SweepSetting& s = grid.settings[i];
        if (!own[i].empty()) {
            s.name = own[i];
            continue;
        }
        std::string name = s.name;
        if (name.empty()) {
            Json words = s.values;
            if (words.empty()) words = {{"method", all[i]["method"]}, {"bits", all[i]["bits"]}};
            name = shortName(words);
        } else {
            name += "-" + shortName(s.values);
        }
        std::string free = name;
        for (int n = 2; !taken.insert(free).second; ++n) free = name + "-" + std::to_string(n);
        s.name = free;
    }
}

}  // namespace

bool SweepGrid::needsCalibration() const {
    return std::any_of(settings.begin(), settings.end(), [](const SweepSetting& s) { return s.recipe.method != Method::rtn; });
}

SweepGrid expandGrid(const Json& json, const CalibrationOptions& base, const std::string& where) {
    const std::vector<Entry> entries = entriesOf(json, where);
    size_t count = 0;
    for (const Entry& entry : entries)
        if ((count += combinations(entry)) > kMostSettings)
            throw Error("asks for more than " + std::to_string(kMostSettings) + " settings", where, "Take fewer values of a key");

    SweepGrid grid;
    std::vector<Json> all;
    std::vector<std::string> own, written;
    std::map<std::string, size_t> seen;
    for (const Entry& entry : entries) {
        for (const auto& [key, value] : entry.values.items())
            if (std::find(written.begin(), written.end(), key) == written.end()) written.push_back(key);
        const size_t n = combinations(entry);
        for (size_t i = 0; i < n; ++i) {
            grid.settings.push_back(settingOf(pick(entry, i), base, entry));
            all.push_back(effective(grid.settings.back()));
            own.push_back(n == 1 ? entry.name : std::string());
            const auto [same, isNew] = seen.emplace(all.back().dump(), all.size());
            if (!isNew)
                throw Error("settings " + std::to_string(same->second) + " and " + std::to_string(all.size()) + " are the same (" +
                                shortName(all.back()) + ")", where, "Leave one of them out");
        }
    }
    for (const std::string& key : written)
        if (std::any_of(all.begin(), all.end(), [&](const Json& j) { return j[key] != all[0][key]; })) grid.varied.push_back(key);
    for (size_t i = 0; i < all.size(); ++i) {
        grid.settings[i].values = Json::object();
        for (const std::string& key : grid.varied) grid.settings[i].values[key] = all[i][key];
    }
    nameSettings(grid, all, own, where);
    return grid;
}

SweepGrid readGrid(const std::filesystem::path& file, const CalibrationOptions& base) {
    return expandGrid(readJson(file, {.bytes = 16u << 20, .depth = 8}), base, file.string());
}

SweepGrid defaultGrid(const CalibrationOptions& base) {
    return expandGrid(parseJson(kDefaultGrid, "default grid"), base, "default grid");
}

}  // namespace owq
