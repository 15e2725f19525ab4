// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/tuning_directory.h"

#include <set>
#include <sstream>

#include "core/base/error.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

constexpr const char* kDescription = "tuning.json";
constexpr const char* kJournal = "journal.jsonl";
constexpr const char* kState = "checkpoint.safetensors";
const std::set<std::string> kFiles{kDescription, kJournal, kState, "task.safetensors", "result.json"};

bool isOurs(const std::string& name) { return name == ".lock" || kFiles.contains(name) || kFiles.contains(AtomicFile::targetOf(name)); }

/// The first setting that differs, "" for none.
std::string difference(const Json& was, const Json& is, const std::string& path = {}) {
    for (const auto& [key, value] : is.items()) {
        const std::string inner = path.empty() ? key : path + "." + key;
        if (path.empty() && (key == "program" || key == "model")) continue;
        if (!was.is_object() || !was.contains(key)) return inner + " (was not set)";
        if (value.is_object()) {
            if (auto d = difference(was.at(key), value, inner); !d.empty()) return d;
        } else if (was.at(key) != value) {
            return inner + " (was " + was.at(key).dump().substr(0, 80) + ", now " + value.dump().substr(0, 80) + ")";
        }
    }
    return {};
}

TuningPoint pointFromJson(const Json& j, const std::string& where) {
    TuningPoint p;
    p.step = required<int64_t>(j, "step", where);
    if (j.contains("validation")) {
        p.validation = required<double>(j, "validation", where);
        return p;
    }
    p.loss = required<double>(j, "loss", where);
    p.learningRate = required<double>(j, "learning_rate", where);
    p.gradientNorm = required<double>(j, "gradient_norm", where);
    p.tokens = required<int64_t>(j, "tokens", where);
    return p;
}

}  // namespace

TuningDirectory::TuningDirectory(fs::path folder, const Json& description, bool resume, bool force) : folder_(std::move(folder)) {
    const std::string where = folder_.string();
    std::error_code error;
    if (fs::exists(folder_) && !fs::is_directory(folder_)) throw Error("is a file", where, "Give another --out");
    if (fs::is_directory(folder_))
        for (const auto& entry : fs::directory_iterator(folder_))
            if (!isOurs(entry.path().filename().string()))
                throw Error("holds something else than a tuning: " + entry.path().filename().string(), where, "Give another --out");
    fs::create_directories(folder_, error);
    if (error) throw Error("could not be created: " + error.message(), where);
    lock_ = std::make_unique<FileLock>(folder_ / ".lock");
    const fs::path file = folder_ / kDescription;
    if (fs::exists(file) && !force) {
        if (!resume) throw Error("holds a tuning already", where, "Go on with it by --resume, replace it by --force, or give another --out");
        if (const std::string other = difference(readJson(file), description); !other.empty())
            throw Error("was tuned with other settings: " + other, where, "Give the same settings, or replace it by --force");
        for (const auto& entry : fs::directory_iterator(folder_))  // what a killed writer left
            if (!AtomicFile::targetOf(entry.path().filename().string()).empty()) fs::remove(entry.path(), error);
        return;
    }
    // The description goes last: what is left of an interrupted removal is no tuning.
    for (const std::string& name : kFiles)
        if (name != kDescription) fs::remove(folder_ / name);
    fs::remove(file);
    writeJson(file, description);
}

std::optional<TunerState> TuningDirectory::savedState(const TunedModel& model, int64_t steps) const {
    if (!fs::exists(folder_ / kState)) return std::nullopt;
    return readTunerState(folder_ / kState, model.parameters(), model.columns(), steps);
}

std::vector<TuningPoint> TuningDirectory::rewind(const TunerState& state) {
    const fs::path file = folder_ / kJournal;
    std::vector<TuningPoint> points;
    if (!fs::exists(file)) return points;
    std::istringstream lines(readText(file));
    std::string kept;
    for (std::string line; std::getline(lines, line);) {
        const Json entry = Json::parse(line, nullptr, false);
        if (!entry.is_object()) continue;  // cut short by a crash
        const TuningPoint point = pointFromJson(entry, file.string());
        if (point.step > (point.validation ? state.evaluated : state.adam.steps)) continue;
        points.push_back(point);
        kept += line + "\n";
    }
    writeText(file, kept);
    return points;
}

void TuningDirectory::add(const TuningPoint& point) { appendLineSynced(folder_ / kJournal, toJson(point).dump()); }

}  // namespace owq
