// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/tune.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/jobs/run_description.h"
#include "core/jobs/threads.h"
#include "core/jobs/tuning_directory.h"
#include "core/version.h"

namespace owq {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kDefaultLength = 512;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void check(const TuneOptions& o) {
    const TuningSettings& s = o.settings;
    const auto demand = [](bool holds, const char* what, const char* remedy) {
        if (!holds) throw Error(what, "tuning", remedy);
    };
    demand(!o.data.empty(), "no data is given", "Give a text, or JSON lines of prompts and responses");
    demand(o.dryRun || !o.out.empty(), "no folder for the result is given", "Give --out");
    demand(s.epochs >= 1 && s.batchSize >= 1 && s.accumulate >= 1 && o.checkpointEvery >= 1, "epochs, batch size, accumulation and checkpoint interval must be at least 1", "");
    demand(std::isfinite(s.learningRate) && s.learningRate > 0, "the learning rate is not above 0", "Give a number such as 0.001");
    demand(s.rateExponent >= 0 && s.rateExponent <= 1, "the exponent of the learning rate is not from 0 to 1", "");
    demand(s.warmUp >= 0 && s.warmUp <= 1, "the warm-up is no share of the steps", "Give a number from 0 to 1");
    demand(s.weightDecay >= 0 && s.clip >= 0 && std::isfinite(s.weightDecay) && std::isfinite(s.clip), "weight decay or clipping is below 0", "");
    demand(s.validationShare >= 0 && s.validationShare < 1, "the validation share is not from 0 to below 1", "");
    demand(s.evaluateEvery >= 0 && s.patience >= 0 && s.maxSteps >= 0, "a number of steps is below 0", "");
}

Json settingsJson(const TuningSettings& s) {
    return {{"epochs", s.epochs}, {"learning_rate", s.learningRate}, {"rate_exponent", s.rateExponent}, {"batch_size", s.batchSize}, {"accumulate", s.accumulate}, {"warm_up", s.warmUp},
            {"weight_decay", s.weightDecay}, {"clip", s.clip}, {"validation_share", s.validationShare}, {"evaluate_every", s.evaluateEvery},
            {"patience", s.patience}, {"max_steps", s.maxSteps}, {"seed", s.seed}, {"half_inputs", s.halfInputs}};
}

std::string hashOf(const TuningData& data) {
    std::vector<int32_t> all;
    for (const TuningExample& e : data.examples) {
        all.push_back(int32_t(e.ids.size()));
        all.push_back(int32_t(e.first));
        all.insert(all.end(), e.ids.begin(), e.ids.end());
    }
    return sha256(std::as_bytes(std::span(all)));
}

Json describe(const TuneOptions& o, const TunedModel& model, const TuningData& data, const TuningData& validation, int64_t length) {
    std::string frozen;
    for (const WeakMatrix& m : model.matrices()) frozen += m.name + " " + m.frozen + "\n";
    return {{"schema", 1}, {"kind", "tuning"}, {"program", std::string("owq ") + kVersion}, {"model", o.model.string()},
            {"frozen_sha256", sha256(std::as_bytes(std::span(frozen)))},
            {"weak_weights_sha256", sha256(std::as_bytes(std::span(model.original())))},
            {"data", {{"source", o.data.filename().string()}, {"examples", data.examples.size()}, {"tokens_sha256", hashOf(data)}}},
            {"validation", {{"source", o.validation.filename().string()}, {"examples", validation.examples.size()}, {"tokens_sha256", hashOf(validation)}}},
            {"sequence_length", length}, {"settings", settingsJson(o.settings)}};
}

Metadata about(const TuneOptions& o, const TuneResult& r) {
    Metadata m{{"program", std::string("owq ") + kVersion}, {"model", o.model.filename().string()}, {"data", o.data.filename().string()},
               {"sequence_length", std::to_string(r.sequenceLength)}, {"steps", std::to_string(r.bestStep)}};
    if (r.validationBefore) m.emplace_back("validation_before", Json(*r.validationBefore).dump());
    if (r.validationAfter) m.emplace_back("validation_after", Json(*r.validationAfter).dump());
    return m;
}

/// The job, once model and data are there.
class Tuning {
public:
    Tuning(const TuneOptions& options, TunedModel& model, const TuningData& data, const TuningData& validation, TuneResult& result,
           Progress& progress, std::stop_token stop)
        : options_(options), model_(model), result_(result), progress_(progress), stop_(std::move(stop)),
          tuner_(model, data, validation, options.settings) {
        result_.plannedSteps = tuner_.steps();
    }

    void time(const TuningData& data) {
        progress_.report("Timing a batch", "", 0.5);
        std::vector<int64_t> which;
        for (int64_t i = 0; i < std::min<int64_t>(options_.settings.batchSize, int64_t(data.examples.size())); ++i) which.push_back(i);
        std::vector<float> gradient(size_t(model_.parameters()));
        const auto start = Clock::now();
        model_.lossAndGradient(makeBatch(data.examples, which), 1, gradient, stop_);
        const int64_t batches = (int64_t(data.examples.size()) + options_.settings.batchSize - 1) / options_.settings.batchSize;
        result_.secondsPerStep = secondsSince(start) * double(std::min(options_.settings.accumulate, batches));
    }

    void run(TuningDirectory& directory) {
        TunerState saved;
        if (auto found = directory.savedState(model_, tuner_.steps())) {
            saved = std::move(*found);
            tuner_.restore(saved);
        }
        result_.journal = directory.rewind(saved);
        if (options_.onPoint)
            for (const TuningPoint& point : result_.journal) options_.onPoint(point);
        const auto start = Clock::now();
        const int64_t before = tuner_.state().adam.steps;
        try {
            while (tuner_.finished().empty()) advance(directory);
        } catch (const Cancelled&) {
            directory.save(tuner_.state());
            throw;
        }
        directory.save(tuner_.state());
        result_.ended = tuner_.finished();
        result_.steps = tuner_.state().adam.steps;
        if (result_.steps > before) result_.secondsPerStep = secondsSince(start) / double(result_.steps - before);
        tuner_.settle();
    }

    const TunerState& state() const { return tuner_.state(); }

private:
    void advance(TuningDirectory& directory) {
        const int64_t done = tuner_.state().adam.steps;
        TuningPoint point;
        if (tuner_.evaluationDue()) {
            report("validation");
            point.validation = tuner_.evaluate(stop_);
            point.step = done;
        } else {
            report("step " + std::to_string(done + 1) + " of " + std::to_string(tuner_.steps()) + last_);
            const TuningStep step = tuner_.step(stop_);
            point = {step.step, {}, step.loss.mean(), step.learningRate, step.gradientNorm, step.loss.tokens};
            char text[48];
            std::snprintf(text, sizeof text, ", loss %.4f", point.loss);
            last_ = text;
        }
        directory.add(point);
        result_.journal.push_back(point);
        if (options_.onPoint) options_.onPoint(point);
        if (!point.validation && point.step % options_.checkpointEvery == 0) directory.save(tuner_.state());
    }

    void report(const std::string& item) { progress_.report("Tuning", item, double(tuner_.state().adam.steps) / double(tuner_.steps())); }

    const TuneOptions& options_;
    TunedModel& model_;
    TuneResult& result_;
    Progress& progress_;
    std::stop_token stop_;
    Tuner tuner_;
    std::string last_;
};

}  // namespace

TuneResult tune(const TuneOptions& options, Progress& progress, std::stop_token stop) {
    const auto start = Clock::now();
    check(options);
    TuneResult result;
    progress.report("Reading the data", options.data.filename().string(), 0);
    const auto source = ModelSource::open(options.model, options.modelFolder);
    const auto tokenizer = openTokenizer(source->tokenizerFolder());
    const int64_t length = options.sequenceLength ? resolveSequenceLength(options.sequenceLength, source->info())
                                                  : std::min<int64_t>(kDefaultLength, source->info().maxPositions);
    TuningData data = readTuningData(options.data, *tokenizer, length, source->info().vocabulary);
    result.warnings = data.warnings;
    TuningData validation;
    if (options.validation.empty()) {
        validation = splitValidation(data, options.settings.validationShare, options.settings.seed);
        if (validation.examples.empty() && options.settings.validationShare > 0)
            result.warnings.push_back("The data is a single example: nothing is held out, and the tuning ends with the last weights");
    } else {
        validation = readTuningData(options.validation, *tokenizer, length, source->info().vocabulary);
        result.warnings.insert(result.warnings.end(), validation.warnings.begin(), validation.warnings.end());
    }
    checkStop(stop);

    progress.report("Loading the model", options.model.filename().string(), 0);
    const uint64_t resident = residentMemoryBytes();
    TunedModel model(source, stop, {.kept = options.settings.halfInputs ? at::kBFloat16 : at::kFloat});
    result.parameters = model.parameters();
    result.linears = int64_t(model.matrices().size());
    result.examples = int64_t(data.examples.size());
    result.validationExamples = int64_t(validation.examples.size());
    result.scoredTokens = data.scored();
    result.sequenceLength = length;
    result.forecast = forecastTuning(source->info(), model.packedBytes(), model.parameters(), options.settings.batchSize, length, options.settings.halfInputs);
    const uint64_t taken = residentMemoryBytes() - std::min(resident, residentMemoryBytes()), needed = result.forecast.bytes();
    if (needed > taken && needed - taken > availableMemoryBytes())
        throw Error("the tuning needs " + std::to_string((needed - taken) >> 20) + " MiB more memory, and " +
                        std::to_string(availableMemoryBytes() >> 20) + " MiB are free", options.model.string(),
                    "Choose a smaller --batch-size (with a larger --accumulate) or --sequence-length, or --half-inputs");

    Tuning tuning(options, model, data, validation, result, progress, stop);
    if (options.dryRun) {
        tuning.time(data);
    } else {
        TuningDirectory directory(options.out, describe(options, model, data, validation, length), options.resume, options.force);
        tuning.run(directory);
        const TunerState& state = tuning.state();
        result.bestStep = state.bestWeights.empty() ? state.adam.steps : state.bestStep;
        for (const TuningPoint& point : result.journal)
            if (point.validation && point.step == 0) result.validationBefore = point.validation;
        if (!state.bestWeights.empty()) result.validationAfter = state.best;
        if (result.bestStep == 0) result.warnings.push_back("No step improved the validation loss: the task file holds the model's own weak columns. Try another --learning-rate");
        result.task = directory.taskFile();
        writeTask(result.task, model.task(about(options, result)));
        result.taskBytes = std::filesystem::file_size(result.task);
        result.seconds = secondsSince(start);
        result.peakMemoryBytes = peakMemoryBytes();
        directory.finish(toJson(result));
    }
    result.seconds = secondsSince(start);
    result.peakMemoryBytes = peakMemoryBytes();
    progress.report(options.dryRun ? "Planned" : "Tuned", "", 1);
    return result;
}

Json toJson(const TuningPoint& p) {
    if (p.validation) return {{"step", p.step}, {"validation", *p.validation}};
    return {{"step", p.step}, {"loss", p.loss}, {"learning_rate", p.learningRate}, {"gradient_norm", p.gradientNorm}, {"tokens", p.tokens}};
}

Json toJson(const TuneResult& r) {
    const auto orNull = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
    Json journal = Json::array(), parts = Json::array();
    for (const TuningPoint& point : r.journal) journal.push_back(toJson(point));
    for (const TuningForecast::Part& part : r.forecast.parts) parts.push_back({{"name", part.name}, {"bytes", part.bytes}});
    Json j{{"task", r.task.string()}, {"task_bytes", r.taskBytes}, {"parameters", r.parameters}, {"linears", r.linears}, {"examples", r.examples},
           {"validation_examples", r.validationExamples}, {"scored_tokens", r.scoredTokens}, {"sequence_length", r.sequenceLength}, {"steps", r.steps},
           {"planned_steps", r.plannedSteps}, {"validation_loss", {{"before", orNull(r.validationBefore)}, {"after", orNull(r.validationAfter)}}},
           {"best_step", r.bestStep}, {"ended", r.ended}, {"memory_forecast", {{"bytes", r.forecast.bytes()}, {"parts", std::move(parts)}}},
           {"seconds_per_step", r.secondsPerStep}, {"seconds", r.seconds}, {"peak_memory_bytes", r.peakMemoryBytes}, {"warnings", r.warnings}};
    j["journal"] = std::move(journal);
    return j;
}

}  // namespace owq
