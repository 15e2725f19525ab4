// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "core/base/file.h"
#include "tests/app/cli/program.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TuneCommand : public CliTest {
protected:
    void SetUp() override {
        CliTest::SetUp();
        const Outcome outcome = owq({"quantize", sample("sample-opt"), "--out", (folder / "run").string(), "--calibration", sample("calibration.txt"),
                                     "--samples", "2", "--sequence-length", "64", "--weak-columns", "4", "--layers", "*.layers.0.*,*.layers.3.*", "--quiet"});
        ASSERT_EQ(outcome.code, 0) << outcome.error;
        write("data.txt", readText(sample("heldout.txt")).substr(0, 20000));
    }
    std::vector<std::string> tuning(const std::string& out, std::vector<std::string> more = {}) const {
        std::vector<std::string> all{"tune", (folder / "run").string(), "--data", (folder / "data.txt").string(), "--out", (folder / out).string(),
                                     "--sequence-length", "128", "--epochs", "2", "--accumulate", "4", "--learning-rate", "2e-4", "--quiet"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    double perplexity(std::vector<std::string> more) const {
        std::vector<std::string> all{"evaluate", (folder / "run").string(), "--text", (folder / "data.txt").string(), "--sequence-length", "128",
               "--json", (folder / "e.json").string(), "--quiet"};
        all.insert(all.end(), more.begin(), more.end());
        const Outcome outcome = owq(all);
        EXPECT_EQ(outcome.code, 0) << outcome.error;
        return readJson(folder / "e.json").at("perplexity");
    }
};

TEST_F(TuneCommand, TunesEvaluatesGeneratesAndExports) {
    const Outcome plan = owq(tuning("task", {"--dry-run"}));
    EXPECT_EQ(plan.code, 0) << plan.error;
    EXPECT_THAT(plan.out, HasSubstr("time forecast"));
    EXPECT_THAT(plan.out, HasSubstr("activations of one block"));
    EXPECT_FALSE(fs::exists(folder / "task"));

    const Outcome outcome = owq(tuning("task", {"--json", (folder / "t.json").string()}));
    ASSERT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_THAT(outcome.out, HasSubstr("task.safetensors"));
    const Json json = readJson(folder / "t.json");
    EXPECT_LT(json["validation_loss"]["after"].get<double>(), json["validation_loss"]["before"].get<double>());
    const std::string task = (folder / "task/task.safetensors").string();
    EXPECT_EQ(json["task"], task);
    EXPECT_LT(perplexity({"--task", task}), perplexity({}));

    const std::vector<std::string> generating{"generate", (folder / "run").string(), "--prompt", "It was", "--max-tokens", "8", "--quiet", "--task", task};
    EXPECT_EQ(owq(generating).code, 0);
    EXPECT_EQ(owq({"export", (folder / "run").string(), "--format", "owq", "--task", task, "--out", (folder / "merged").string(), "--quiet"}).code, 0);
    const Outcome wrong = owq({"evaluate", sample("sample-opt"), "--task", task, "--text", (folder / "data.txt").string(), "--quiet"});
    EXPECT_EQ(wrong.code, 1);
    EXPECT_THAT(wrong.error, HasSubstr(task));
    const Outcome again = owq(tuning("task"));
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.error, HasSubstr("--resume"));
}

TEST_F(TuneCommand, StopsOnCtrlCAndGoesOnToTheSameCurve) {
    ASSERT_EQ(owq(tuning("whole")).code, 0);
    Started started(program(), tuning("stopped"), folder);
    for (int i = 0; i < 600 && !fs::exists(folder / "stopped/journal.jsonl"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ::kill(started.pid(), SIGINT);
    const Outcome stopped = started.wait();
    EXPECT_EQ(stopped.code, 130) << stopped.error;
    EXPECT_FALSE(fs::exists(folder / "stopped/task.safetensors"));
    ASSERT_EQ(owq(tuning("stopped", {"--resume"})).code, 0);
    for (const char* file : {"journal.jsonl", "task.safetensors"}) EXPECT_EQ(readText(folder / "whole" / file), readText(folder / "stopped" / file));
}

}  // namespace
}  // namespace owq
