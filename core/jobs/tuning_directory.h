// SPDX-License-Identifier: Apache-2.0
// The folder that owq tune writes. Internal to core/jobs.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/file.h"
#include "core/jobs/tune.h"
#include "core/tune/tuner.h"

namespace owq {

class TuningDirectory {
public:
    /// Makes the folder, or takes what is there as resume and force say, and locks it. description: settings and hashes; that of a tuning
    /// to be resumed must be equal but for "program" and "model". Error naming what differs, or what is in the way.
    TuningDirectory(std::filesystem::path folder, const Json& description, bool resume, bool force);

    /// What is there to go on from, of a tuning of so many steps in all.
    std::optional<TunerState> savedState(const TunedModel& model, int64_t steps) const;
    /// Forgets what the journal says of later steps than the state's; the rest.
    std::vector<TuningPoint> rewind(const TunerState& state);
    void add(const TuningPoint& point);
    void save(const TunerState& state) const { writeTunerState(folder_ / "checkpoint.safetensors", state); }
    std::filesystem::path taskFile() const { return folder_ / "task.safetensors"; }
    void finish(const Json& result) const { writeJson(folder_ / "result.json", result); }

private:
    std::filesystem::path folder_;
    std::unique_ptr<FileLock> lock_;
};

}  // namespace owq
