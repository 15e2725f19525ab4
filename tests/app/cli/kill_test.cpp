// SPDX-License-Identifier: Apache-2.0
// Runs and exports that are killed at random instants, without a chance to tidy up. OWQ_KILL_SEED chooses other instants.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "core/base/file.h"
#include "tests/app/cli/program.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kRunKills = 40, kExportKills = 12, kTuneKills = 20;
constexpr int kKilled = 128 + SIGKILL;

class Kill : public CliTest {
protected:
    Kill() {
        const char* asked = std::getenv("OWQ_KILL_SEED");
        const unsigned seed = asked ? unsigned(std::strtoul(asked, nullptr, 10)) : 20240613u;
        std::cout << "OWQ_KILL_SEED=" << seed << '\n';
        random.seed(seed);
    }
    std::vector<std::string> quantizing(const std::string& out) const {
        return {"quantize", sample("sample-llama"), "--out", (folder / out).string(), "--calibration", sample("calibration.txt"),
                "--samples", "2", "--sequence-length", "64", "--target-bits", "3.1", "--layers", "*.layers.0.*,*.layers.2.*,*.layers.5.*", "--threads", "2", "--resume", "--quiet"};
    }
    std::vector<std::string> exporting(const std::string& run, const std::string& layout, const std::string& out) const {
        return {"export", (folder / run).string(), "--format", "owq", "--layout", layout, "--out", (folder / out).string(), "--force", "--quiet"};
    }
    /// Seconds that it takes when nobody disturbs it.
    double timed(const std::vector<std::string>& arguments) const {
        const auto start = Clock::now();
        const Outcome outcome = owq(arguments);
        EXPECT_EQ(outcome.code, 0) << outcome.error;
        return std::chrono::duration<double>(Clock::now() - start).count();
    }
    /// Starts it and kills it somewhere within `within` seconds, unless it was faster.
    Outcome killed(const std::vector<std::string>& arguments, double within) {
        Started started(program(), arguments, folder);
        std::this_thread::sleep_for(std::chrono::duration<double>(std::uniform_real_distribution<double>(0, within)(random)));
        ::kill(started.pid(), SIGKILL);
        return started.wait();
    }
    /// Every file below by its hash.
    static std::map<std::string, std::string> hashes(const fs::path& of) {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(of))
            if (entry.is_regular_file()) all[fs::relative(entry.path(), of).string()] = sha256File(entry.path());
        return all;
    }
    /// The files of a run that are the same whenever its settings are.
    std::map<std::string, std::string> runHashes(const std::string& run) const {
        std::map<std::string, std::string> all = hashes(folder / run);
        EXPECT_EQ(all.erase("run.log"), 1u);
        EXPECT_EQ(all.erase("result.json"), 1u);
        EXPECT_EQ(all.erase("recipe.json"), 1u) << "names the folder's place relative to the model";
        return all;
    }
    Json resultOf(const std::string& run) const {
        Json result = readJson(folder / run / "result.json");
        for (const char* differing : {"seconds", "peak_memory_bytes", "memory_forecast", "disk_forecast_bytes"}) result.erase(differing);
        return result;
    }
    std::mt19937 random;
};

TEST_F(Kill, ARunKilledAtRandomInstantsEndsWithTheSameBytes) {
    const double seconds = timed(quantizing("whole"));
    const auto expected = runHashes("whole");
    for (const char* layout : {"latency", "storage"}) ASSERT_EQ(owq(exporting("whole", layout, std::string("whole-") + layout)).code, 0);
    int kills = 0, finished = 0;
    while (kills < kRunKills && !HasFailure()) {
        const std::string name = "run" + std::to_string(finished);
        Outcome outcome;
        while ((outcome = killed(quantizing(name), 0.7 * seconds)).code == kKilled && ++kills < kRunKills) {}
        if (outcome.code == kKilled) outcome = owq(quantizing(name));
        ASSERT_EQ(outcome.code, 0) << outcome.error;
        ++finished;
        EXPECT_EQ(runHashes(name), expected) << "after " << kills << " kills";
        EXPECT_EQ(resultOf(name), resultOf("whole"));
        for (const std::string layout : {"latency", "storage"}) {
            const fs::path exported = folder / (name + "-" + layout);
            ASSERT_EQ(owq(exporting(name, layout, exported.filename())).code, 0);
            EXPECT_EQ(hashes(exported), hashes(folder / ("whole-" + layout))) << "after " << kills << " kills";
            fs::remove_all(exported);
        }
        fs::remove_all(folder / name);
    }
    std::cout << kills << " kills over " << finished << " runs of " << seconds << " s\n";
}

TEST_F(Kill, AKilledExportLeavesTheOldOneOrTheNewOneAndNoLitter) {
    ASSERT_EQ(owq({"quantize", sample("sample-llama"), "--out", (folder / "run").string(), "--method", "rtn", "--bits", "4", "--quiet"}).code, 0);
    const fs::path place = folder / "exports";
    const double seconds = timed(exporting("run", "latency", "exports/model"));
    const auto old = hashes(place / "model");
    ASSERT_EQ(owq(exporting("run", "storage", "exports/model")).code, 0);
    const auto other = hashes(place / "model");
    ASSERT_EQ(old.size(), other.size());
    for (int kills = 0, tries = 0; kills < kExportKills && tries < 4 * kExportKills; ++tries) {
        kills += killed(exporting("run", tries % 2 ? "storage" : "latency", "exports/model"), seconds).code == kKilled;
        const auto there = hashes(place / "model");
        EXPECT_TRUE(there == old || there == other) << "try " << tries;
        EXPECT_LE(std::distance(fs::directory_iterator(place), fs::directory_iterator()), 2) << "the next one clears away what is left";
    }
    ASSERT_EQ(owq(exporting("run", "latency", "exports/model")).code, 0);
    EXPECT_EQ(hashes(place / "model"), old);
    EXPECT_EQ(std::distance(fs::directory_iterator(place), fs::directory_iterator()), 1);
}

TEST_F(Kill, ATuningKilledAtRandomInstantsEndsWithTheSameBytes) {
    ASSERT_EQ(owq({"quantize", sample("sample-llama"), "--out", (folder / "run").string(), "--calibration", sample("calibration.txt"), "--samples", "2",
                   "--sequence-length", "64", "--weak-columns", "4", "--quiet"}).code, 0);
    write("data.txt", readText(sample("heldout.txt")).substr(0, 16000));
    const auto tuning = [&](const std::string& out) -> std::vector<std::string> {
        return {"tune", (folder / "run").string(), "--data", (folder / "data.txt").string(), "--out", (folder / out).string(), "--sequence-length", "128",
                "--accumulate", "2", "--evaluate-every", "3", "--checkpoint-every", "2", "--threads", "2", "--resume", "--quiet"};
    };
    const auto hashesOf = [&](const std::string& out) {
        std::map<std::string, std::string> all = hashes(folder / out);
        EXPECT_EQ(all.erase("result.json"), 1u);
        return all;
    };
    const double seconds = timed(tuning("whole"));
    const auto expected = hashesOf("whole");
    for (int kills = 0, finished = 0; kills < kTuneKills && !HasFailure();) {
        const std::string name = "tuning" + std::to_string(finished++);
        while (kills < kTuneKills && killed(tuning(name), 0.7 * seconds).code == kKilled) ++kills;
        ASSERT_EQ(owq(tuning(name)).code, 0);
        EXPECT_EQ(hashesOf(name), expected) << "after " << kills << " kills";
    }
}

}  // namespace
}  // namespace owq
