// SPDX-License-Identifier: Apache-2.0
#include "core/store/run_directory.h"

#include <chrono>
#include <ctime>
#include <sstream>

#include "core/pack/layer_file.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRecipe = "recipe.json";
constexpr const char* kJournal = "journal.jsonl";
constexpr const char* kLayers = "layers";
constexpr const char* kStatistics = "statistics.h5";
constexpr const char* kLog = "run.log";
constexpr const char* kResult = "result.json";
constexpr const char* kLock = ".lock";

std::vector<std::string> linearNames(const Json& description, const std::string& where) {
    const auto it = description.find("linears");
    if (it == description.end() || !it->is_array()) throw Error("\"linears\" is not a list", where);
    std::vector<std::string> names;
    for (const Json& n : *it) {
        if (!n.is_string()) throw Error("\"linears\" holds something that is not a name", where);
        names.push_back(n.get<std::string>());
    }
    return names;
}

// Names come from a file and become file names.
void checkName(const std::string& linear, const std::string& where) {
    if (linear.empty() || linear.size() > 200 || linear[0] == '.' || linear.find('/') != std::string::npos ||
        linear.find('\0') != std::string::npos)
        throw Error("\"" + linear.substr(0, 80) + "\" cannot be the name of a linear", where);
}

// A line cut short by a crash is the last one and does not count.
std::map<std::string, std::string> readJournal(const fs::path& file) {
    std::map<std::string, std::string> finished;
    if (!fs::exists(file)) return finished;
    std::istringstream lines(readText(file));
    for (std::string line; std::getline(lines, line);) {
        const Json entry = Json::parse(line, nullptr, false);
        if (!entry.is_object() || !entry.contains("layer") || !entry.contains("sha256")) continue;
        finished[required<std::string>(entry, "layer", file.string())] = required<std::string>(entry, "sha256", file.string());
    }
    return finished;
}

Json readDescription(const fs::path& directory) {
    const fs::path file = directory / kRecipe;
    const Json d = readJson(file);
    const std::string kind = optional<std::string>(d, "kind", "", file.string());
    if (required<int64_t>(d, "schema", file.string()) != 1 || (kind != "run" && kind != "analysis"))
        throw Error("was written by another program or a newer version", file.string());
    return d;
}

void removeRun(const fs::path& directory) {
    // The result goes first: what is left of an interrupted removal never looks finished.
    for (const char* name : {kResult, kStatistics, kJournal}) fs::remove(directory / name);
    fs::remove_all(directory / kLayers);
    for (const char* name : {kLog, "budget.json", kRecipe}) fs::remove(directory / name);
}

bool isOurs(const std::string& name) {
    for (const char* known : {kLock, kLayers, kLog, "budget.json"})
        if (name == known) return true;
    const std::string target = AtomicFile::targetOf(name);
    return target == kRecipe || target == "budget.json";
}

bool onlyOurs(const fs::path& directory) {
    for (const auto& entry : fs::directory_iterator(directory))
        if (!isOurs(entry.path().filename().string())) return false;
    return true;
}

// Only with the lock held: no writer is under way.
void removeLeftovers(const fs::path& directory) {
    for (const fs::path& folder : {directory, directory / kLayers}) {
        std::vector<fs::path> found;
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(folder, ignored))
            if (entry.is_regular_file(ignored) && !AtomicFile::targetOf(entry.path().filename().string()).empty()) found.push_back(entry.path());
        for (const fs::path& file : found) fs::remove(file, ignored);
    }
}

// A line that was cut short would swallow the next one.
void mendJournal(const fs::path& file) {
    if (!fs::exists(file)) return;
    const std::string text = readText(file);
    if (!text.empty() && text.back() != '\n') writeText(file, text.substr(0, text.rfind('\n') + 1));
}

// Names the first thing that differs, in words a person knows.
std::string difference(const Json& was, const Json& is, const std::string& path = {}) {
    if (was.is_object() && is.is_object()) {
        for (const auto& [key, value] : is.items()) {
            const std::string inner = path.empty() ? key : path + "." + key;
            if (!was.contains(key)) return inner + " (was not set)";
            if (auto d = difference(was.at(key), value, inner); !d.empty()) return d;
        }
        return {};
    }
    if (was == is) return {};
    if (was.is_array() && is.is_array() && was.size() == is.size())
        for (size_t i = 0; i < was.size(); ++i)
            if (was[i] != is[i]) {
                const bool named = is[i].is_object() && is[i].contains("name") && is[i]["name"].is_string();
                const std::string item = named ? is[i]["name"].get<std::string>().substr(0, 200) : std::to_string(i);
                if (auto d = difference(was[i], is[i], path + "[" + item + "]"); !d.empty()) return d;
            }
    return path + " (was " + was.dump().substr(0, 80) + ", now " + is.dump().substr(0, 80) + ")";
}

// Where the model lies decides nothing: its files are known by their hashes.
Json withoutPlace(Json description) {
    for (const char* key : {"model", "model_relative", "model_name"}) description.erase(key);
    return description;
}

}  // namespace

bool isRunDirectory(const fs::path& directory) {
    try {
        if (!fs::exists(directory / kRecipe)) return false;
        readDescription(directory);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

fs::path layerFile(const fs::path& directory, const std::string& linear) {
    checkName(linear, directory.string());
    return directory / kLayers / (linear + ".safetensors");
}

RunState readRunState(const fs::path& directory) {
    RunState state;
    state.description = readDescription(directory);
    state.linears = linearNames(state.description, (directory / kRecipe).string());
    const auto journal = readJournal(directory / kJournal);
    for (const std::string& name : state.linears)
        if (journal.contains(name) && fs::exists(layerFile(directory, name))) state.finished.push_back(name);
    state.complete = fs::exists(directory / kResult);
    return state;
}

fs::path findModel(const fs::path& directory, const RunState& state) {
    const std::string where = (directory / kRecipe).string();
    const fs::path absolute = required<std::string>(state.description, "model", where);
    if (fs::exists(absolute)) return absolute;
    const fs::path relative = directory / optional<std::string>(state.description, "model_relative", "", where);
    if (relative != directory / "" && fs::exists(relative)) return relative;
    throw Error("the checkpoint it was made from is not at " + absolute.string() + " any more", directory.string(),
                "Put it back, or move it to the same place relative to the run");
}

uint64_t layerBytes(const fs::path& directory) {
    uint64_t bytes = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory / kLayers, ignored))
        if (const uintmax_t size = entry.file_size(ignored); !ignored) bytes += size;
    return bytes;
}

void RunDirectory::refuseIfThere(const fs::path& directory) {
    if (!isRunDirectory(directory)) return;
    const RunState state = readRunState(directory);
    const std::string done = state.complete ? "a finished run" : "an unfinished run (" + std::to_string(state.finished.size()) +
                                                                     " of " + std::to_string(state.linears.size()) + " linears)";
    throw Error("already holds " + done, directory.string(),
                state.complete ? "Choose another folder, or replace it with --force" : "Go on with --resume, or replace it with --force");
}

std::unique_ptr<RunDirectory> RunDirectory::open(const fs::path& directory, const Json& description, IfThere ifThere,
                                                 DType layerType) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) throw Error("could not be created (" + error.message() + ")", directory.string());

    std::unique_ptr<RunDirectory> run(new RunDirectory);
    run->path_ = directory;
    run->description_ = description;
    run->layerType_ = layerType;
    run->lock_ = std::make_unique<FileLock>(directory / kLock);

    const bool there = isRunDirectory(directory);
    if (!there && !onlyOurs(directory))
        throw Error("is not empty and holds no run", directory.string(), "Choose another folder");
    removeLeftovers(directory);
    if (there && ifThere == IfThere::replace) removeRun(directory);
    if (ifThere == IfThere::refuse) refuseIfThere(directory);
    if (there && ifThere == IfThere::resume) {
        const Json was = readDescription(directory);
        if (const std::string d = difference(withoutPlace(was), withoutPlace(description)); !d.empty())
            throw Error("cannot be resumed: " + d + " differs", directory.string(), "Use the same settings, or replace the run with --force");
        if (was != description) writeJson(directory / kRecipe, description);  // the model has moved
        mendJournal(directory / kJournal);
        // A file counts only with the bytes that the journal promised.
        for (const auto& [name, hash] : readJournal(directory / kJournal)) {
            const fs::path file = layerFile(directory, name);
            if (fs::exists(file) && sha256File(file) == hash) run->finished_[name] = hash;
        }
        run->complete_ = fs::exists(directory / kResult) && run->finished_.size() == linearNames(was, directory.string()).size();
        // A result without all of its linears is none, and must not look like one while they are made again.
        if (!run->complete_) fs::remove(directory / kResult);
        run->log("resumed with " + std::to_string(run->finished_.size()) + " finished linears");
        return run;
    }
    fs::create_directories(directory / kLayers);
    writeJson(directory / kRecipe, description);
    run->log("started");
    return run;
}

bool RunDirectory::has(const std::string& linear) const { return finished_.contains(linear); }

LinearOutcome RunDirectory::load(const std::string& linear) const { return readLayerFile(layerFile(path_, linear)); }

void RunDirectory::store(const LinearInfo& linear, const LinearOutcome& outcome) {
    const fs::path file = layerFile(path_, linear.name);
    writeLayerFile(file, linear.name, outcome, layerType_);
    const std::string hash = sha256File(file);
    const Json entry{{"layer", linear.name}, {"sha256", hash}, {"error", outcome.error}};
    appendLineSynced(path_ / kJournal, entry.dump());
    finished_[linear.name] = hash;
    for (const std::string& note : outcome.notes) log(linear.name + ": " + note);
}

void RunDirectory::log(const std::string& line) const {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&now, &utc);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ ", &utc);
    appendLineSynced(path_ / kLog, stamp + line);
}

void RunDirectory::finish(const std::string& family, const std::function<Json()>& result) {
    StatisticsFile statistics;
    statistics.model = optional<std::string>(description_, "model_name", "", path_.string());
    statistics.family = family;
    statistics.recipe = description_.value("recipe", Json::object());
    for (const std::string& name : linearNames(description_, path_.string())) {
        LinearOutcome outcome = load(name);
        const QuantizedLinear& w = outcome.weight;
        statistics.layers.push_back({name, w.rows, w.columns, w.bits, outcome.damping, w.weakColumns, std::move(outcome.statistics)});
    }
    writeStatistics(path_ / kStatistics, statistics);
    complete(result());
}

void RunDirectory::finish(const StatisticsFile& statistics, const Json& result) {
    writeStatistics(path_ / kStatistics, statistics);
    complete(result);
}

void RunDirectory::complete(const Json& result) {
    writeJson(path_ / kResult, result);
    complete_ = true;
    log("finished");
}

}  // namespace owq
