// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/tune.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <map>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/tensor_file.h"
#include "core/generate/generator.h"
#include "core/jobs/evaluate.h"
#include "core/jobs/export.h"
#include "core/jobs/generate.h"
#include "core/jobs/quantize.h"
#include "core/model/forwarding_source.h"
#include "core/model/task_source.h"
#include "core/pack/packed_model.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::map<std::string, std::string> hashes(const fs::path& of) {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(of))
        if (entry.is_regular_file()) all[fs::relative(entry.path(), of).string()] = sha256File(entry.path());
    return all;
}

/// Counts what is read of a model's linears.
struct CountingSource final : ForwardingSource {
    using ForwardingSource::ForwardingSource;
    QuantizedLinear linear(const std::string& name) const override {
        ++reads;
        return source_->linear(name);
    }
    mutable std::atomic<int> reads = 0;
};

/// A run of the sample with weak columns, and what it is exported to, made once for all cases.
class TuneJob : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        shared = new TemporaryFolder;
        quantizeTo("run", 4);
        exportTo("packed", "owq", "latency", {});
        const std::string text = readText(OWQ_SAMPLE "/heldout.txt");
        std::ofstream(*shared / "data.txt") << text.substr(0, 12000);
        std::ofstream(*shared / "later.txt") << text.substr(12000, 6000);
    }
    static void TearDownTestSuite() { delete shared; }

    static void quantizeTo(const std::string& name, int64_t weak, int bits = 3) {
        QuantizeOptions o;
        o.model = OWQ_SAMPLE "/sample-llama";
        o.out = *shared / name;
        o.calibration.text = OWQ_SAMPLE "/calibration.txt";
        o.calibration.samples = 4;
        o.calibration.sequenceLength = 128;
        o.recipe.method = Method::owq;
        o.recipe.bits = bits;
        o.recipe.weakColumns = weak;
        Progress progress;
        quantize(o, progress, {});
    }
    static void exportTo(const std::string& name, const std::string& format, const std::string& layout, const fs::path& task) {
        ExportOptions o;
        o.run = *shared / "run";
        o.format = format;
        o.layout = layout;
        o.task = task;
        o.out = *shared / name;
        Progress progress;
        exportModel(o, progress, {});
    }
    TuneOptions options(const std::string& out) const {
        TuneOptions o;
        o.model = *shared / "packed";
        o.data = *shared / "data.txt";
        o.out = folder / out;
        o.sequenceLength = 64;
        o.settings.epochs = 2;
        o.settings.learningRate = 5e-4;  // little text, and a step sees 512 tokens of it
        o.settings.accumulate = 8;
        o.settings.validationShare = 0.1;
        return o;
    }
    static TuneResult tuned(const TuneOptions& o, std::stop_token stop = {}) {
        Progress progress;
        return tune(o, progress, stop);
    }
    static std::string refusal(const TuneOptions& o) {
        try {
            tuned(o);
        } catch (const Error& error) {
            return error.what();
        }
        return "not refused";
    }
    static EvaluateResult evaluated(const fs::path& model, const fs::path& task = {}, Arithmetic arithmetic = Arithmetic::exact) {
        EvaluateOptions e;
        e.model = model;
        e.modelFolder = OWQ_SAMPLE "/sample-llama";
        e.task = task;
        e.text = *shared / "later.txt";
        e.sequenceLength = 64;
        e.arithmetic = arithmetic;
        Progress progress;
        return evaluate(e, progress, {});
    }
    static TemporaryFolder* shared;
    TemporaryFolder folder;
};
TemporaryFolder* TuneJob::shared = nullptr;

TEST_F(TuneJob, LowersTheLossOfTextItHasNotSeenAndTouchesNothingElse) {
    const auto before = hashes(*shared / "packed");
    std::vector<TuningPoint> points;
    TuneOptions o = options("tuning");
    o.onPoint = [&](const TuningPoint& p) { points.push_back(p); };
    const TuneResult result = tuned(o);
    EXPECT_EQ(hashes(*shared / "packed"), before);
    EXPECT_EQ(result.ended, "all steps done");
    EXPECT_EQ(result.steps, result.plannedSteps);
    EXPECT_EQ(points.size(), result.journal.size());
    ASSERT_TRUE(result.validationBefore && result.validationAfter);
    EXPECT_LT(*result.validationAfter, *result.validationBefore);
    const double own = evaluated(*shared / "packed").perplexity, better = evaluated(*shared / "packed", result.task).perplexity;
    std::printf("perplexity %.3f before, %.3f tuned\n", own, better);
    EXPECT_LT(better, own);

    const Json json = readJson(folder / "tuning/result.json");
    EXPECT_EQ(json["validation_loss"]["after"], *result.validationAfter);
    EXPECT_EQ(json["journal"].size(), result.journal.size());
    EXPECT_EQ(json["parameters"], result.parameters);
    int64_t weights = 0;
    for (const auto& [name, linear] : readTask(result.task).linears) weights += linear.rows * int64_t(linear.columns.size());
    EXPECT_EQ(weights, result.parameters);
    EXPECT_LT(result.taskBytes, fs::file_size(*shared / "packed/model.safetensors") / 5);
}

TEST_F(TuneJob, AMergedExportHasTheTaskAndNothingElseNew) {
    TuneOptions o = options("tuning");
    o.settings.maxSteps = 3;
    o.settings.validationShare = 0;  // the last weights, whatever they bring
    o.model = *shared / "run";  // its exports share the task
    const fs::path task = tuned(o).task;
    for (const auto& [name, format, layout] : {std::tuple("merged", "owq", "latency"), {"storage", "owq", "storage"}, {"dense", "dense", "latency"}, {"tuned.pth", "owq-pth", "latency"}})
        exportTo(name, format, layout, task);
    const auto own = PackedModel::open(*shared / "packed"), merged = PackedModel::open(*shared / "merged");
    for (const LinearShape& linear : own->linears()) {
        const QuantizedLinear a = own->linear(linear.name), b = merged->linear(linear.name);
        EXPECT_TRUE(a.codes == b.codes && a.scale == b.scale && a.zero == b.zero && a.weakColumns == b.weakColumns) << linear.name;
        EXPECT_NE(a.weakWeight, b.weakWeight) << linear.name;
        EXPECT_EQ(frozenHash(a), frozenHash(b));
    }
    for (const TensorInfo& info : own->tensors())
        EXPECT_EQ(std::memcmp(own->tensor(info.name).data, merged->tensor(info.name).data, info.bytes), 0) << info.name;
    const double expected = evaluated(*shared / "packed", task).nll;
    EXPECT_EQ(evaluated(*shared / "merged").nll, expected);
    EXPECT_EQ(evaluated(*shared / "storage").nll, expected);
    EXPECT_EQ(evaluated(*shared / "tuned.pth").nll, expected);
    EXPECT_NEAR(evaluated(*shared / "run", task).nll / expected, 1, 1e-3) << "the export rounds scales to half precision";
    EXPECT_NEAR(evaluated(*shared / "dense").nll / expected, 1, 1e-3);
    EXPECT_NE(evaluated(*shared / "packed").nll, expected);
}

TEST_F(TuneJob, StoppedAndResumedItTakesTheSameStepsToTheLastDigit) {
    TuneOptions o = options("whole");
    o.settings.maxSteps = 9;
    o.settings.accumulate = 2;
    o.settings.evaluateEvery = 2;
    const TuneResult whole = tuned(o);
    const auto expected = hashes(folder / "whole");
    o.checkpointEvery = 3;
    o.resume = true;
    for (const size_t lines : {1u, 3u, 4u, 8u}) {  // after a validation, after steps
        const std::string name = "stopped" + std::to_string(lines);
        o.out = folder / name;
        std::stop_source stop;
        size_t seen = 0;
        o.onPoint = [&](const TuningPoint&) {
            if (++seen == lines) {
                fs::copy(folder / name, folder / (name + "-killed"), fs::copy_options::recursive);  // as a kill would leave it
                stop.request_stop();
            }
        };
        EXPECT_THROW(tuned(o, stop.get_token()), Cancelled);
        o.onPoint = {};
        for (const std::string& one : {name, name + "-killed"}) {
            o.out = folder / one;
            const TuneResult result = tuned(o);
            ASSERT_EQ(result.journal.size(), whole.journal.size());
            for (const char* file : {"journal.jsonl", "task.safetensors", "checkpoint.safetensors"})
                EXPECT_EQ(hashes(o.out).at(file), expected.at(file)) << one << ": " << file;
        }
    }
    EXPECT_EQ(tuned(o).journal.size(), whole.journal.size()) << "a finished one has nothing more to do";
}

TEST_F(TuneJob, ResumesNoCheckpointThatWasMadeUp) {
    TuneOptions o = options("tuning");
    o.settings.maxSteps = 4;
    std::stop_source stop;
    o.onPoint = [&](const TuningPoint& point) {
        if (point.step == 2) stop.request_stop();
    };
    EXPECT_THROW(tuned(o, stop.get_token()), Cancelled);
    o.onPoint = {};
    o.resume = true;
    const fs::path file = folder / "tuning/checkpoint.safetensors";
    const std::string bytes = readText(file);
    {
        const auto saved = openSafetensors(file);
        Metadata metadata = saved->metadata();
        for (auto& [key, value] : metadata)
            if (key == "steps") value = "-1";
        NamedTensors tensors;
        for (const TensorInfo& info : saved->tensors()) tensors.emplace_back(info.name, saved->read(info.name));
        writeSafetensors(file, tensors, metadata);
    }
    EXPECT_THAT(refusal(o), ::testing::AllOf(HasSubstr("has done -1 of 4 steps"), HasSubstr("checkpoint.safetensors"), HasSubstr("--force")));
    writeText(file, bytes);
    EXPECT_EQ(tuned(o).steps, 4);
}

TEST_F(TuneJob, EndsEarlyWithTheBestWeights) {
    TuneOptions o = options("tuning");
    o.settings.learningRate = 0.5;  // ruins the model
    o.settings.clip = 0;
    o.settings.evaluateEvery = 1;
    o.settings.patience = 2;
    const TuneResult result = tuned(o);
    EXPECT_EQ(result.ended, "validation no longer improves");
    EXPECT_EQ(result.steps, 2);
    EXPECT_EQ(result.bestStep, 0);
    EXPECT_EQ(result.validationAfter, result.validationBefore);
    EXPECT_THAT(result.warnings, ::testing::Contains(HasSubstr("No step improved")));
    EXPECT_EQ(evaluated(*shared / "packed", result.task).nll, evaluated(*shared / "packed").nll);
}

TEST_F(TuneJob, ForecastsWithoutWriting) {
    TuneOptions o = options("tuning");
    o.dryRun = true;
    const TuneResult result = tuned(o);
    EXPECT_FALSE(fs::exists(o.out));
    EXPECT_TRUE(result.task.empty());
    EXPECT_GT(result.secondsPerStep, 0);
    EXPECT_GT(result.plannedSteps, 0);
    EXPECT_GT(result.forecast.bytes(), uint64_t(1) << 20);
    const uint64_t whole = result.forecast.bytes();
    o.settings.halfInputs = true;
    EXPECT_LT(tuned(o).forecast.bytes(), whole);
}

TEST_F(TuneJob, TunesOnResponsesAndValidatesOnAFile) {
    std::string lines;
    for (int i = 0; i < 12; ++i) lines += Json{{"prompt", "Who was there?"}, {"response", " The captain was there, and number " + std::to_string(i) + "."}}.dump() + "\n";
    std::ofstream(folder / "pairs.jsonl") << lines;
    TuneOptions o = options("tuning");
    o.data = o.validation = folder / "pairs.jsonl";
    o.settings.epochs = 4;
    o.settings.batchSize = 3;
    o.settings.accumulate = 1;
    const TuneResult result = tuned(o);
    EXPECT_EQ(result.examples, 12);
    EXPECT_EQ(result.validationExamples, 12);
    EXPECT_EQ(result.steps, 16);
    EXPECT_LT(*result.validationAfter, 0.8 * *result.validationBefore);
    GenerateOptions g;
    g.model = *shared / "packed";
    g.task = result.task;
    g.prompt = "Who was there?";
    g.maxTokens = 12;
    Progress progress;
    const std::string with = generate(g, progress, {}).text;
    g.task.clear();
    EXPECT_NE(with, generate(g, progress, {}).text);
}

TEST_F(TuneJob, AGeneratorSwapsTasksWithoutLoadingAgain) {
    TuneOptions o = options("tuning");
    o.settings.maxSteps = 4;
    o.settings.validationShare = 0;
    o.settings.learningRate = 1e-2;
    const fs::path file = tuned(o).task;
    const Task task = readTask(file);
    const auto source = std::make_shared<CountingSource>(ModelSource::open(*shared / "packed"));
    const std::vector<int32_t> prompt{5, 300, 77};
    for (const Arithmetic arithmetic : {Arithmetic::doubleInt8, Arithmetic::dense}) {
        Generator generator(source, arithmetic), fresh(withTask(source, file), arithmetic);
        const auto text = [&](Generator& g) { return g.generate(prompt, {.maxTokens = 30, .stopAtEnd = false}).ids; };
        const std::vector<int32_t> own = text(generator), tunedIds = text(fresh);
        EXPECT_NE(own, tunedIds);
        const int reads = source->reads;
        generator.useTask(task, "task");
        EXPECT_EQ(text(generator), tunedIds);
        generator.useOwnColumns();
        EXPECT_EQ(text(generator), own);
        Task foreign = task;
        foreign.linears.rbegin()->second.frozen = std::string(64, '0');
        EXPECT_THROW(generator.useTask(foreign, "foreign"), Error);
        EXPECT_EQ(text(generator), own) << "a refused task changes nothing";
        std::stop_source stop;
        stop.request_stop();
        EXPECT_THROW(generator.useTask(task, "task", stop.get_token()), Cancelled);
        generator.useTask(task, "task");
        EXPECT_EQ(text(generator), tunedIds);
        EXPECT_THROW(generator.useOwnColumns(stop.get_token()), Cancelled);
        EXPECT_EQ(source->reads, reads) << "only the task is read to swap it";
    }
}

TEST_F(TuneJob, ASessionKeepsModelsAndSwapsTheirTasks) {
    TuneOptions o = options("tuning");
    o.settings.maxSteps = 4;
    o.settings.validationShare = 0;
    o.settings.learningRate = 1e-2;
    const fs::path task = tuned(o).task;
    GenerateOptions g;
    g.prompt = "The captain";
    g.maxTokens = 12;
    Progress progress;
    GenerateSession session;
    const auto both = [&](const fs::path& model, const fs::path& tunedOn) {
        g.model = model;
        g.task = tunedOn;
        const std::string text = session.generate(g, progress, {}).text;
        EXPECT_EQ(text, generate(g, progress, {}).text);
        return text;
    };
    const std::string own = both(*shared / "packed", {});
    EXPECT_NE(both(*shared / "packed", task), own);
    EXPECT_EQ(both(*shared / "packed", {}), own);
    both(OWQ_SAMPLE "/sample-llama", {});
    EXPECT_EQ(both(*shared / "packed", {}), own);
    EXPECT_EQ(session.loads(), 2);
    both(*shared / "run", task);  // a third: the one used longest ago goes
    EXPECT_EQ(both(*shared / "packed", {}), own);
    EXPECT_EQ(session.loads(), 3);
    session.close();
    EXPECT_EQ(both(*shared / "packed", {}), own);
    EXPECT_EQ(session.loads(), 4);
    // Another task in the same file.
    const fs::path place = folder / "place.safetensors";
    fs::copy_file(task, place);
    const std::string first = both(*shared / "packed", place);
    Task second = readTask(task);
    for (auto& [name, linear] : second.linears)
        for (float& weight : linear.weight) weight = -weight;
    writeTask(place, second);
    EXPECT_NE(both(*shared / "packed", place), first);
    EXPECT_EQ(session.loads(), 4);
    // Written again since: what is held is not it any more.
    fs::last_write_time(*shared / "packed/config.json", fs::file_time_type::clock::now());
    both(*shared / "packed", {});
    EXPECT_EQ(session.loads(), 5);
    g.task = folder / "none.safetensors";
    EXPECT_THROW(session.generate(g, progress, {}), Error);
    EXPECT_EQ(both(*shared / "packed", {}), own) << "a refused task changes nothing";
}

TEST_F(TuneJob, FindsTheTasksOfAModelBesideIt) {
    fs::create_directories(folder / "place");
    fs::copy(*shared / "packed", folder / "place/packed", fs::copy_options::recursive);
    TuneOptions o = options("place/tuning");
    o.settings.maxSteps = 2;
    o.settings.validationShare = 0;
    const fs::path task = tuned(o).task;
    fs::copy_file(task, folder / "place/packed/mine.safetensors");
    fs::create_directories(folder / "place/damaged");
    std::ofstream(folder / "place/damaged/task.safetensors") << "no tensors";
    EXPECT_THAT(tasksBeside(folder / "place/packed"), ::testing::ElementsAre(folder / "place/packed/mine.safetensors", task));
    // The original has no weak columns, and the run of other bits has others.
    EXPECT_THAT(tasksBeside(OWQ_SAMPLE "/sample-llama"), ::testing::IsEmpty());
    quantizeTo("four", 4, 4);
    fs::rename(*shared / "four", folder / "place/four");
    EXPECT_THAT(tasksBeside(folder / "place/four"), ::testing::IsEmpty());
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(tasksBeside(folder / "place/packed", stop.get_token()), Cancelled);
}

TEST_F(TuneJob, RefusesWithWhatIsWrongAndWhatToDo) {
    TuneOptions o = options("tuning");
    o.model = OWQ_SAMPLE "/sample-llama";
    EXPECT_THAT(refusal(o), HasSubstr("not quantized"));
    if (!fs::exists(*shared / "without")) quantizeTo("without", 0);
    o.model = *shared / "without";
    EXPECT_THAT(refusal(o), HasSubstr("no weak columns"));
    o = options("tuning");
    std::ofstream(folder / "empty.txt") << "";
    o.data = folder / "empty.txt";
    EXPECT_THAT(refusal(o), HasSubstr("not a single token"));
    o.data = folder / "none.txt";
    EXPECT_THAT(refusal(o), HasSubstr("no such file"));
    o = options("tuning");
    o.sequenceLength = 100000;
    EXPECT_THAT(refusal(o), HasSubstr("over the model's maximum"));
    o = options("tuning");
    o.settings.learningRate = 0;
    EXPECT_THAT(refusal(o), HasSubstr("learning rate"));
    fs::create_directories(folder / "other");
    std::ofstream(folder / "other/letter.txt") << "mine";
    o = options("other");
    o.force = true;
    EXPECT_THAT(refusal(o), HasSubstr("letter.txt"));
    EXPECT_EQ(readText(folder / "other/letter.txt"), "mine");

    o = options("tuning");
    o.settings.maxSteps = 1;
    const fs::path task = tuned(o).task;
    EXPECT_THAT(refusal(o), HasSubstr("holds a tuning already"));
    o.resume = true;
    o.settings.maxSteps = 2;
    EXPECT_THAT(refusal(o), HasSubstr("settings.max_steps (was 1, now 2)"));
    o.resume = false;
    o.force = true;
    EXPECT_EQ(tuned(o).steps, 2);

    if (!fs::exists(*shared / "four")) quantizeTo("four", 4, 4);
    const auto message = [&](const auto& call) -> std::string {
        try {
            call();
        } catch (const Error& error) {
            return error.what();
        }
        return "not refused";
    };
    EXPECT_THAT(message([&] { evaluated(*shared / "four", task); }), HasSubstr("tuned on other packed weights"));
    EXPECT_THAT(message([&] { evaluated(OWQ_SAMPLE "/sample-llama", task); }), HasSubstr("does not have quantized"));
    EXPECT_THAT(message([&] { evaluated(*shared / "packed", *shared / "packed/model.safetensors"); }), HasSubstr("no task of weak columns"));
    ExportOptions x;
    x.run = *shared / "four";
    x.out = folder / "x";
    x.task = task;
    Progress progress;
    EXPECT_THAT(message([&] { exportModel(x, progress, {}); }), HasSubstr("tuned on other packed weights"));
    EXPECT_FALSE(fs::exists(x.out));
}

}  // namespace
}  // namespace owq
