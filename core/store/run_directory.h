// SPDX-License-Identifier: Apache-2.0
// The folder of one run (DESIGN: run directory): recipe.json, journal.jsonl, layers/, statistics.h5, run.log, result.json.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/pipeline/layer_sink.h"
#include "core/store/statistics.h"

namespace owq {

/// What stands on the disk, read without locking.
struct RunState {
    Json description;                   ///< recipe.json
    std::vector<std::string> linears;   ///< that the run quantizes, in the order of the model
    std::vector<std::string> finished;  ///< in the same order
    bool complete = false;              ///< result.json is there
};

/// Whether the folder holds a run or an analysis (its recipe.json says so). Never throws.
bool isRunDirectory(const std::filesystem::path& directory);
/// Throws Error when it is none or is damaged.
RunState readRunState(const std::filesystem::path& directory);
/// The checkpoint a run was made from: where it was, or where it now lies relative to the run. Error when neither is there.
std::filesystem::path findModel(const std::filesystem::path& directory, const RunState& state);
/// Of the layers that lie in a run's folder; 0 where there are none.
uint64_t layerBytes(const std::filesystem::path& directory);
std::filesystem::path layerFile(const std::filesystem::path& directory, const std::string& linear);

/// A run being written. Holds the folder's lock; a second writer is refused.
class RunDirectory : public LayerSink {
public:
    enum class IfThere { refuse, resume, replace };

    /// `description`: what recipe.json says; must hold "schema", "kind" ("run" or "analysis"), "linears" (names) and
    /// whatever decides the result. An existing run is refused, resumed when its description agrees but for where the model lies (Error naming
    /// what differs otherwise), or replaced. A folder with foreign content is always refused. `layerType`: dtype of stored weak columns.
    static std::unique_ptr<RunDirectory> open(const std::filesystem::path& directory, const Json& description, IfThere ifThere,
                                              DType layerType);

    /// The refusal of open() alone, for work that comes before it.
    static void refuseIfThere(const std::filesystem::path& directory);

    bool has(const std::string& linear) const override;
    LinearOutcome load(const std::string& linear) const override;
    void store(const LinearInfo& linear, const LinearOutcome& outcome) override;

    const std::filesystem::path& path() const { return path_; }
    bool complete() const { return complete_; }
    size_t finishedCount() const { return finished_.size(); }
    /// One time-stamped line to run.log.
    void log(const std::string& line) const;
    /// Builds statistics.h5 from the layer files, then writes result.json, asked for then: from then on the run is complete.
    void finish(const std::string& family, const std::function<Json()>& result);
    /// The same with statistics at hand (an analysis).
    void finish(const StatisticsFile& statistics, const Json& result);

private:
    RunDirectory() = default;
    void complete(const Json& result);
    std::filesystem::path path_;
    Json description_;
    DType layerType_ = DType::f16;
    std::unique_ptr<FileLock> lock_;
    std::map<std::string, std::string> finished_;  ///< linear to SHA-256 of its file
    bool complete_ = false;
};

}  // namespace owq
