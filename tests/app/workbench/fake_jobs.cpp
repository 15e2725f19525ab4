// SPDX-License-Identifier: Apache-2.0
#include "tests/app/workbench/fake_jobs.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <thread>

#include "core/base/error.h"
#include "core/base/file.h"

namespace owq {

ModelInfo FakeWorld::model() const {
    ModelInfo info;
    info.family = "llama";
    info.blocks = blocks;
    info.hidden = hidden;
    info.dtype = DType::f16;
    for (int b = 0; b < blocks; ++b) {
        const std::string stem = "model.layers." + std::to_string(b) + ".";
        const auto add = [&](const char* part, const char* kind, int64_t rows, int64_t columns,
                             bool feedForward) {
            info.linears.push_back(
                {stem + part, b, kind, part, rows, columns, DType::f16, false, feedForward});
            info.parameters += rows * columns;
        };
        add("self_attn.q_proj", "q", hidden, hidden, false);
        add("self_attn.k_proj", "k", hidden, hidden, false);
        add("self_attn.v_proj", "v", hidden, hidden, false);
        add("self_attn.o_proj", "o", hidden, hidden, false);
        add("mlp.gate_proj", "gate", inner, hidden, true);
        add("mlp.up_proj", "up", inner, hidden, true);
        add("mlp.down_proj", "down", hidden, inner, true);
    }
    info.bytes = uint64_t(info.parameters) * 2;
    return info;
}

LayerReport FakeWorld::report(const LinearInfo& linear, bool quantized) const {
    LayerReport r;
    r.linear = linear;
    r.quantized = quantized;
    r.bits = 3;
    r.weakColumns = {3, 17, 40, 200};
    std::mt19937 random(unsigned(std::hash<std::string>()(linear.name)));
    std::lognormal_distribution<float> spread(0, 1);
    LinearStatistics& s = r.statistics;
    s.tokens = 4096;
    for (int64_t j = 0; j < linear.columns; ++j) {
        const bool weak =
            std::find(r.weakColumns.begin(), r.weakColumns.end(), int32_t(j)) != r.weakColumns.end();
        s.hessianDiagonal.push_back(spread(random) * (weak ? 900.f : 1.f));
        s.columnMin.push_back(-0.1f * spread(random) / (weak ? 20.f : 1.f));
        s.columnMax.push_back(0.1f * spread(random) / (weak ? 20.f : 1.f));
        s.columnError.push_back(0.01f * spread(random));
        s.sensitivity.push_back(s.hessianDiagonal.back() * s.columnError.back());
        s.order.push_back(int32_t(j));
        if (quantized) s.columnLoss.push_back(0.004f * spread(random));
    }
    if (quantized) s.columnLoss.resize(s.columnLoss.size() - r.weakColumns.size());
    for (float loss : s.columnLoss) r.error += loss;
    return r;
}

namespace {

void wait(std::chrono::milliseconds time, std::stop_token stop) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
        checkStop(stop);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    checkStop(stop);
}

}  // namespace

namespace {

/// Two rows of three columns; every number is there, none means anything.
ColumnTrace fakeTrace(bool weak) {
    ColumnTrace trace;
    trace.rows = 2, trace.columns = 3;
    trace.outcome.statistics.order = weak ? std::vector<int32_t>{0, 2, 1} : std::vector<int32_t>{0, 1, 2};
    trace.outcome.statistics.hessianDiagonal = {1, 90, 2};
    trace.outcome.statistics.columnError = trace.outcome.statistics.sensitivity = {0.1f, 9, 0.2f};
    if (weak) trace.outcome.weight.weakColumns = {1};
    trace.outcome.weight.scale = {0.1f, 0.2f};
    trace.outcome.weight.zero = {3, 4};
    trace.factor = {1, 0.5f, 0.2f, 0, 0.1f, 0.3f, 0, 0, 0.7f};
    for (int r = 0; r < 2; ++r) {
        GridTable table;
        table.range = 1;
        table.step = 70, table.zero = 3 + r;
        table.error.assign(800, 0.5);
        table.error[size_t(69 * 8 + 3 + r)] = 0.1;
        trace.grids.push_back(table);
    }
    for (int j = 0; j < (weak ? 2 : 3); ++j)
        trace.steps.push_back({{0.1f, 0.2f, -0.3f, 0.4f, -0.5f, 0.6f}, {1, 5}, {-0.2f, 0.2f}, {0.03f, -0.04f}, 0.125});
    trace.last = {0.1f, 0.2f, -0.3f, 0.4f, -0.4f, 0.6f};
    trace.outputError = weak ? 0.25 : 0.375;
    return trace;
}

LessonResult fakeLesson(const LinearInfo& linear, const LayerReport& report) {
    LessonResult result;
    result.linear = linear;
    result.tokens = 2048, result.windows = 8;
    result.statistics = report.statistics;
    result.rows = {10, 200};
    result.columns = {3, 17, 40};
    result.weight = result.plain = {0.1f, 0.2f, -0.3f, 0.4f, -0.5f, 0.6f};
    result.hessian = {1, 0, 0, 0, 90, 0, 0, 0, 2};
    result.plainError = 0.5;
    result.all = fakeTrace(false);
    result.kept = fakeTrace(true);
    return result;
}

}  // namespace

JobFunctions fakeJobs(std::shared_ptr<FakeWorld> world) {
    JobFunctions jobs;
    jobs.setThreads = [world](int count) { world->threads = count; };
    jobs.inspect = [world](const InspectOptions& o, Progress&, std::stop_token) {
        ++world->inspected;
        if (!std::filesystem::exists(o.model))
            throw Error("there is no such file or folder", o.model.string(), "Check the path");
        InspectResult r;
        r.kind = world->packed ? ModelKind::packed : ModelKind::checkpoint;
        r.path = o.model;
        r.info = world->model();
        if (const LinearInfo* linear = r.info.find(o.layer)) {
            const LayerReport report = world->report(*linear, false);
            r.ranges.push_back({o.layer, report.statistics.columnMin, report.statistics.columnMax});
        }
        return r;
    };
    jobs.previewCalibration = [world](const PreviewOptions& o, Progress&, std::stop_token) {
        CalibrationPreview preview{o.calibration.samples, 512, 0.015, {}, {"the text is short: windows overlap"}};
        for (int64_t i = 0; i < std::min<int64_t>(o.calibration.samples, 3); ++i) preview.texts.push_back("window " + std::to_string(i) + " of a text");
        return preview;
    };
    jobs.calibrate = [world](const CalibrateOptions& o, Progress& progress, std::stop_token stop) {
        ++world->calibrated;
        CalibrateResult result;
        const ModelInfo model = world->model();
        for (size_t i = 0; i < model.linears.size(); ++i) {
            progress.report("Analyzing", model.linears[i].name, double(i) / double(model.linears.size()));
            wait(world->perLayer, stop);
            result.layers.push_back(world->report(model.linears[i], false));
            if (o.onLayer) o.onLayer(result.layers.back());
        }
        return result;
    };
    jobs.quantize = [world](const QuantizeOptions& o, Progress& progress, std::stop_token stop) {
        const ModelInfo model = world->model();
        if (o.dryRun) {
            const std::lock_guard lock(world->mutex);
            QuantizeResult plan;
            plan.dryRun = true;
            plan.forecast.phases = {{"the column loop", 200 << 20}};
            for (const LinearInfo& l : model.linears) {
                plan.layers.emplace_back();
                plan.layers.back().linear = l;
                plan.layers.back().bits = 3;
                plan.plannedWeakColumns.push_back(12);
            }
            if (o.recipe.allocation == "greedy") world->lastQuantize = o;
            ++world->planned;
            return plan;
        }
        ++world->quantized;
        const std::string directory = o.out.string();
        std::filesystem::create_directories(o.out);
        const FileLock writer(o.out / ".lock");  // as a real run
        RunSummary run;
        {
            const std::lock_guard lock(world->mutex);
            world->lastQuantize = o;
            world->quantizeThreads = world->threads.load();
            if (o.resume) run = world->runs[directory];
            run.directory = o.out;
            run.model = o.model;
            run.recipe = o.recipe;
            run.total = int(model.linears.size());
            world->runs[directory] = run;
        }
        if (!o.resume) std::ofstream(o.out / "recipe.json") << "{}";
        QuantizeResult result;
        for (size_t i = 0; i < model.linears.size(); ++i) {
            if (world->failQuantize && i == 3)
                throw Error("the Hessian is not finite", model.linears[i].name,
                            "Look at the calibration text");
            progress.report("Quantizing", model.linears[i].name, double(i) / double(model.linears.size()));
            if (int(i) >= run.done) wait(world->perLayer, stop);
            const LayerReport report = world->report(model.linears[i], true);
            {
                const std::lock_guard lock(world->mutex);
                RunSummary& kept = world->runs[directory];
                kept.done = std::max(kept.done, int(i) + 1);
                if (world->layers[directory].emplace(model.linears[i].name, report).second)
                    kept.layerNames.push_back(model.linears[i].name);
            }
            if (o.onLayer) o.onLayer(report);
        }
        result.recipe = o.recipe;
        result.effectiveBits = {3.05, 3.12};
        result.packedBytes = result.fileBytes = model.bytes / 5;
        result.seconds.total = 12;
        result.peakMemoryBytes = 300 << 20;
        const std::lock_guard lock(world->mutex);
        world->runs[directory].finished = true;
        world->runs[directory].result = result;
        return result;
    };
    jobs.evaluate = [world](const EvaluateOptions& o, Progress& progress, std::stop_token stop) {
        ++world->evaluated;
        for (int i = 0; i < 5; ++i) {
            progress.report("Measuring", "", i / 5.0);
            wait(world->perLayer, stop);
        }
        const std::lock_guard lock(world->mutex);
        world->lastEvaluate = o;
        EvaluateResult r;
        r.perplexity = world->runs.count(o.model.string()) ? 47.5 : 45.75;
        r.windows = 8;
        r.sequenceLength = 512;
        r.text = (o.text.empty() ? o.tokens : o.text).filename().string();
        r.protocol = o.protocol;
        r.task = o.task.string();
        r.warnings = world->evaluateWarnings;
        if (!o.against.empty()) {
            r.divergence.emplace();
            r.divergence->kl = {0.02, 0.001};
            r.divergence->logPerplexityDifference = {std::log(1.04), 0.01};
            r.divergence->klQuantiles = {{0.5, 0.008}, {0.99, 0.25}, {1, 1.5}};
            r.divergence->probabilityChange = {{0.01, -0.125}};
            r.divergence->rmsProbabilityChange = 0.0325;
            r.divergence->top1Agreement = 0.9;
        }
        return r;
    };
    jobs.evaluationsOf = [world](const std::filesystem::path& run) {
        const std::lock_guard lock(world->mutex);
        return world->evaluations[run.string()];
    };
    jobs.keepEvaluation = [world](const std::filesystem::path& run, const EvaluateResult& result) {
        const std::lock_guard lock(world->mutex);
        if (world->failKeeping) throw Error("cannot be written: Read-only file system", run.string());
        world->evaluations[run.string()].push_back(comparedPerplexity(result));
    };
    jobs.compare = [world](const CompareOptions& o, Progress&, std::stop_token) {
        const std::lock_guard lock(world->mutex);
        CompareResult r;
        for (const auto& run : o.runs) {
            r.runs.emplace_back();
            r.runs.back().name = run.filename().string();
        }
        for (const LinearInfo& l : world->model().linears) {
            ComparedLinear compared{l.name, {}, 1, 0};
            for (const auto& run : o.runs) {
                const LayerReport& report = world->layers.at(run.string()).at(l.name);
                compared.values.push_back({true, report.bits, report.weakColumns, report.error});
            }
            r.linears.push_back(compared);
        }
        return r;
    };
    jobs.exportModel = [world](const ExportOptions& o, Progress& progress, std::stop_token stop) {
        ++world->exported;
        progress.report("Writing", "", 0.5);
        wait(world->perLayer, stop);
        const std::lock_guard lock(world->mutex);
        world->lastExport = o;
        ExportResult r;
        r.out = o.out;
        r.format = o.format;
        r.bytes = 2'600'000;
        r.verification = {"42 linears reloaded: codes equal", "scales equal to half precision"};
        r.loadableBy = "owq, owq-workbench";
        return r;
    };
    jobs.generate = [world](const GenerateOptions& o, Progress& progress, std::stop_token stop) {
        ++world->generated;
        std::string last;
        {
            const std::lock_guard lock(world->mutex);
            last = !o.task.empty() ? " tasks" : world->runs.count(o.model.string()) ? " runs" : " times";
            world->asked.push_back(o);
            world->asked.back().onText = nullptr;
        }
        progress.report("Loading the model", o.model.filename().string(), 0);
        if (!std::filesystem::exists(o.model)) throw Error("there is no such file or folder", o.model.string());
        GenerateResult r;
        for (const std::string& word : {std::string(" it"), std::string(" was"), std::string(" the"), std::string(" best"), std::string(" of"), last}) {
            wait(world->perLayer, stop);
            if (o.onText) o.onText(word);
            r.text += word;
            r.ids.push_back(1);
        }
        r.promptTokens = 3;
        r.promptSeconds = 0.01;
        r.decodeSeconds = 0.1;
        r.decodeSteps = int64_t(r.ids.size());
        r.stopReason = "length";
        return r;
    };
    jobs.ask = [world](const EvaluateTasksOptions& o, Progress&, std::stop_token) {
        ++world->questioned;
        const std::lock_guard lock(world->mutex);
        world->lastAsked = o;
        EvaluateTasksResult r;
        r.tasks.push_back({"own", TaskFormat::choice, 8, o.shots.shots < 0 ? 2 : o.shots.shots, {0.75, 0.1}, WindowMean{0.5, 0.125}, {}});
        r.meanAccuracy = 0.75;
        return r;
    };
    jobs.tune = [world](const TuneOptions& o, Progress& progress, std::stop_token stop) {
        ++world->tuned;
        {
            const std::lock_guard lock(world->mutex);
            world->lastTune = o;
        }
        TuneResult r;
        r.plannedSteps = 5;
        r.parameters = 1024;
        r.linears = 14;
        r.secondsPerStep = 2;
        r.forecast.parts = {{"packed blocks", 300'000'000}};
        if (o.dryRun) return r;
        std::filesystem::create_directories(o.out);
        const Json settings{{"learning_rate", o.settings.learningRate}};
        const std::filesystem::path description = o.out / "tuning.json";
        if (!o.force && std::filesystem::exists(description) && readJson(description) != settings)
            throw Error("was tuned with other settings: learning_rate", o.out.string(), "Give the same settings, or replace it by --force");
        writeJson(description, settings);
        r.validationBefore = 4;
        if (o.onPoint) o.onPoint({.step = 0, .validation = 4});
        for (int step = 1; step <= 5; ++step) {
            wait(world->perLayer, stop);
            progress.report("Tuning", "step " + std::to_string(step), step / 5.0);
            if (o.onPoint) o.onPoint({.step = step, .validation = {}, .loss = 4 - 0.1 * step});
            r.steps = step;
        }
        r.validationAfter = 3.5;
        if (o.onPoint) o.onPoint({.step = 5, .validation = 3.5});
        r.task = o.out / "task.safetensors";
        r.ended = "all steps done";
        return r;
    };
    jobs.lesson = [world](const LessonOptions& o, Progress& progress, std::stop_token stop) {
        ++world->taught;
        {
            const std::lock_guard lock(world->mutex);
            world->lastLesson = o;
        }
        progress.report("Measuring inputs", "block 1", 0.5);
        wait(world->perLayer, stop);
        if (world->failLesson) throw Error("its inputs were always 0", "q_proj", "Give another text");
        const ModelInfo model = world->model();
        const LinearInfo* linear = o.linear.empty() ? &model.linears.front() : model.find(o.linear);
        return fakeLesson(*linear, world->report(*linear, false));
    };
    jobs.findTasks = [world](const std::filesystem::path& model, std::stop_token) {
        const std::lock_guard lock(world->mutex);
        return world->tasks[model.string()];
    };
    jobs.checkTask = [world](const std::filesystem::path& model, const std::filesystem::path& task) {
        const std::lock_guard lock(world->mutex);
        const auto& fit = world->elsewhere[model.string()];
        if (std::find(fit.begin(), fit.end(), task) == fit.end()) throw Error("the task belongs to another packed matrix", task.string());
    };
    jobs.hasWeakColumns = [world](const std::filesystem::path&) { return world->packed.load(); };
    jobs.openRun = [world](const std::filesystem::path& directory) {
        const std::lock_guard lock(world->mutex);
        const auto run = world->runs.find(directory.string());
        if (run == world->runs.end()) throw Error("this is no run directory", directory.string());
        return run->second;
    };
    jobs.readRunLayer = [world](const std::filesystem::path& directory, const std::string& layer) {
        const std::lock_guard lock(world->mutex);
        return world->layers.at(directory.string()).at(layer);
    };
    jobs.readRunLayers = [world](const std::filesystem::path& directory, std::stop_token stop) {
        const std::lock_guard lock(world->mutex);
        std::vector<LayerReport> reports;
        for (const std::string& layer : world->runs.at(directory.string()).layerNames) {
            checkStop(stop);
            reports.push_back(world->layers.at(directory.string()).at(layer));
        }
        return reports;
    };
    return jobs;
}

}  // namespace owq
