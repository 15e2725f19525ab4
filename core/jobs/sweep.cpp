// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/sweep.h"

#include <map>
#include <memory>
#include <new>
#include <set>

#include "core/base/file.h"
#include "core/jobs/evaluate.h"
#include "core/jobs/product_timing.h"
#include "core/jobs/quantize_shared.h"
#include "core/jobs/run_description.h"
#include "core/jobs/sweep_result.h"
#include "kernels/matvec.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSweep = "sweep.json";
constexpr const char* kJournal = "sweep.jsonl";
constexpr const char* kTable = "sweep.csv";
constexpr const char* kLock = ".lock";
constexpr double kEvaluationShare = 0.3;  // of a setting's time, roughly
constexpr size_t kWindowsKept = 64;       // sets of windows; a grid may ask for thousands of seeds

std::string hashOf(const Json& value) {
    const std::string text = value.dump();
    return sha256(std::as_bytes(std::span(text)));
}

// Texts of one name under several protocols are told apart.
std::vector<std::string> titles(const std::vector<SweepText>& texts) {
    std::vector<std::string> all;
    std::set<std::string> taken;
    for (const SweepText& t : texts) {
        const std::string name = t.file.filename().string();
        std::string title = taken.contains(name) ? name + " (" + t.protocol + ")" : name;
        for (int n = 2; !taken.insert(title).second; ++n) title = name + " (" + t.protocol + ", " + std::to_string(n) + ")";
        all.push_back(title);
    }
    return all;
}

class Sweep {
public:
    Sweep(const SweepOptions& options, Progress& progress, std::stop_token stop)
        : options_(options), progress_(progress), stop_(stop) {}

    SweepResult run() {
        checkOptions();
        model_ = ModelSource::open(options_.model);
        if (model_->kind() != ModelKind::checkpoint)
            throw Error("is already quantized", options_.model.string(), "Open the original checkpoint");
        evaluationLength_ = resolveSequenceLength(options_.evaluationLength, model_->info());
        claimFolder();
        modelFiles_ = hashModel(options_.model, progress_, stop_);
        for (const SweepText& t : options_.texts) textHashes_.push_back(sha256File(t.file, stop_));
        prepareResult();
        refuseOtherModel();
        // What is wrong with the calibration is wrong with nearly all settings: it is better known now.
        for (const SweepSetting& s : options_.grid.settings) {
            if (s.recipe.method == Method::rtn) continue;
            windowsOf(s.calibration);
            break;
        }
        if (options_.force) fs::remove(options_.out / kJournal);
        save();
        const double originalShare = options_.texts.empty() ? 0 : kEvaluationShare;
        const double whole = originalShare + double(result_.rows.size());
        measureAll(result_.original, options_.model, hashOf(modelFiles_), "Original", 0, originalShare / whole);
        if (options_.latency)
            for (const LinearInfo& l : model_->info().linears) result_.originalTokenSeconds += productSeconds({l.rows, l.columns, 16});
        save();
        for (size_t i = 0; i < result_.rows.size(); ++i)
            runSetting(i, (originalShare + double(i)) / whole, (originalShare + double(i) + 1) / whole);
        progress_.setSpan(0, 1);
        progress_.report("Swept", "", 1);
        return std::move(result_);
    }

private:
    void checkOptions() const {
        if (options_.grid.settings.empty()) throw Error("the grid holds no setting", "sweep");
        if (options_.out.empty()) throw Error("no output folder is given", "sweep");
        if (options_.maxWindows < 0) throw Error("the number of windows must not be negative", "sweep");
        for (const SweepText& t : options_.texts) protocolFromName(t.protocol);
        const CalibrationOptions& first = options_.grid.settings[0].calibration;
        if (first.tokens.empty()) return;
        for (const std::string& key : options_.grid.varied)
            if (key == "seed")
                throw Error("\"seed\" varies, but calibration tokens are taken as they stand, whatever the seed", "sweep",
                            "Give a calibration text, or leave the seeds out");
    }

    void claimFolder() {
        std::error_code error;
        fs::create_directories(options_.out, error);
        if (error) throw Error("could not be created (" + error.message() + ")", options_.out.string());
        const fs::path file = options_.out / kSweep;
        if (fs::exists(file)) {
            const Json was = readJson(file);
            if (optional<std::string>(was, "kind", "", file.string()) != "sweep" || optional<int64_t>(was, "schema", 0, file.string()) != 1)
                throw Error("was written by another program or a newer version", file.string());
            earlierModel_ = optional<std::string>(was, "model_sha256", "", file.string());
        } else {
            for (const auto& entry : fs::directory_iterator(options_.out)) {
                const std::string name = entry.path().filename().string();
                if (name != kLock && !name.starts_with(std::string(kSweep) + ".tmp-"))
                    throw Error("is not empty and holds no sweep", options_.out.string(), "Choose another folder");
            }
        }
        lock_ = std::make_unique<FileLock>(options_.out / kLock);
        if (!options_.force) earlier_ = readMeasurements(options_.out / kJournal);
    }

    void refuseOtherModel() const {
        if (!options_.force && !earlierModel_.empty() && earlierModel_ != hashOf(modelFiles_))
            throw Error("holds a sweep of another model", options_.out.string(), "Choose another folder, or start over with --force");
    }

    void prepareResult() {
        result_.model = options_.model.string();
        result_.varied = options_.grid.varied;
        result_.texts = titles(options_.texts);
        result_.originalBytes = model_->info().bytes;
        result_.original.resize(options_.texts.size());
        for (const SweepSetting& s : options_.grid.settings) {
            SweepRow row;
            row.setting = s;
            row.perplexity.resize(options_.texts.size());
            result_.rows.push_back(std::move(row));
        }
    }

    void save() const {
        Json j = toJson(result_);
        j["model_sha256"] = hashOf(modelFiles_);
        writeJson(options_.out / kSweep, j);
        writeText(options_.out / kTable, toCsv(result_));
    }

    const TokenWindows& windowsOf(const CalibrationOptions& calibration) {
        const auto key = std::pair(calibration.seed, calibration.samples);
        const auto known = windows_.find(key);
        if (known != windows_.end()) return known->second;
        TokenWindows drawn = loadCalibration(calibration, *model_);
        if (windows_.size() >= kWindowsKept) windows_.clear();
        return windows_[key] = std::move(drawn);
    }

    // Another job's reports as a part of this one: it believes that it has the whole bar. A log gets a line for each phase.
    Progress part(const std::string& phase) {
        return Progress([this, phase](const ProgressUpdate& u) {
            progress_.report(phase, u.item.empty() ? u.phase : u.phase + " " + u.item, u.fraction);
        });
    }

    void measureAll(std::vector<SweepPerplexity>& all, const fs::path& model, const std::string& modelHash, const std::string& phase,
                    double from, double to) {
        for (size_t t = 0; t < all.size(); ++t) {
            const double share = (to - from) / double(all.size());
            progress_.setSpan(from + share * double(t), from + share * double(t + 1));
            const SweepText& text = options_.texts[t];
            const std::string key = hashOf({modelHash, textHashes_[t], text.protocol, evaluationLength_, options_.maxWindows});
            if (const auto known = earlier_.find(key); known != earlier_.end()) {
                all[t] = known->second;
                continue;
            }
            EvaluateOptions e;
            e.model = model;
            e.text = text.file;
            e.protocol = text.protocol;
            e.sequenceLength = evaluationLength_;
            e.maxWindows = options_.maxWindows;
            Progress inner = part(phase);
            const EvaluateResult r = evaluate(e, inner, stop_);
            all[t] = {r.text, r.protocol, r.perplexity, r.nll, r.tokens, r.windows, r.sequenceLength, r.seconds, key};
            appendMeasurement(options_.out / kJournal, all[t]);
        }
    }

    void runSetting(size_t index, double from, double to) {
        SweepRow& row = result_.rows[index];
        checkStop(stop_);
        const std::string phase = "Setting " + std::to_string(index + 1) + " of " + std::to_string(result_.rows.size()) + " (" +
                                   row.setting.name + ")";
        const double between = options_.texts.empty() ? to : to - kEvaluationShare * (to - from);
        try {
            progress_.setSpan(from, between);
            const std::vector<LayerReport> quantized = quantizeRow(row, phase);
            const fs::path run = options_.out / row.setting.name;
            // The result tells times, so its hash is this very run's.
            measureAll(row.perplexity, run, sha256File(run / "result.json", stop_), phase, between, to);
            if (options_.latency) row.tokenSeconds = tokenSeconds(row, quantized);
            row.state = SweepState::done;
        } catch (const Cancelled&) {
            throw;
        } catch (const std::bad_alloc&) {
            row.state = SweepState::failed;
            row.error = "out of memory";
        } catch (const std::exception& e) {
            row.state = SweepState::failed;
            row.error = e.what();
        }
        save();
    }

    /// The linears that are quantized.
    std::vector<LayerReport> quantizeRow(SweepRow& row, const std::string& phase) {
        QuantizeOptions q;
        q.model = options_.model;
        q.out = options_.out / row.setting.name;
        q.calibration = row.setting.calibration;
        q.recipe = row.setting.recipe;
        q.force = options_.force;
        q.resume = !options_.force;
        row.reused = q.resume && fs::exists(q.out / "result.json");
        SharedInputs shared;
        shared.modelFiles = &modelFiles_;
        if (q.recipe.method != Method::rtn) shared.windows = &windowsOf(q.calibration);
        Progress inner = part(phase);
        QuantizeResult r = quantizeShared(q, shared, inner, stop_);
        row.effectiveBits = r.effectiveBits;
        row.fileBytes = r.fileBytes;
        row.seconds = r.seconds.total;
        row.warnings = r.warnings;
        return std::move(r.layers);
    }

    /// Each shape is timed once, however many linears and settings have it.
    double productSeconds(const ProductShape& shape) {
        const auto known = products_.find(shape);
        if (known != products_.end()) return known->second;
        progress_.report("Timing a linear", std::to_string(shape.rows) + " x " + std::to_string(shape.columns) + ", " + std::to_string(shape.bits) + " bits",
                         1);
        const Timing timing{options_.workingSet, options_.seconds};
        const ProductTime time = shape.bits == 16 ? denseProductTime(shape.rows, shape.columns, 16, 1, timing, stop_)
                                                  : packedProductTime(shape, 1, Arithmetic::doubleInt8, timing, stop_);
        return products_[shape] = time.seconds;
    }

    /// Of the quantized linears, and of those beside them at 16 bits.
    double tokenSeconds(SweepRow& row, const std::vector<LayerReport>& quantized) {
        const int64_t group = row.setting.recipe.groupSize;
        if (group % kernels::kPackedGroup != 0) {
            row.warnings.push_back("groups of " + std::to_string(group) + " columns cannot be multiplied packed: no latency");
            return 0;
        }
        std::map<std::string, ProductShape> shapes;
        for (const LinearInfo& l : model_->info().linears) shapes[l.name] = {l.rows, l.columns, 16};
        for (const LayerReport& l : quantized)
            shapes[l.linear.name] = {l.linear.rows, l.linear.columns, l.bits, int64_t(l.weakColumns.size()), group};
        double seconds = 0;
        for (const auto& [name, shape] : shapes) seconds += productSeconds(shape);
        return seconds;
    }

    const SweepOptions& options_;
    Progress& progress_;
    std::stop_token stop_;
    std::shared_ptr<const ModelSource> model_;
    std::unique_ptr<FileLock> lock_;
    Json modelFiles_;
    int64_t evaluationLength_ = 0;
    std::vector<std::string> textHashes_;
    std::string earlierModel_;
    Measurements earlier_;
    std::map<std::pair<uint64_t, int64_t>, TokenWindows> windows_;
    std::map<ProductShape, double> products_;
    SweepResult result_;
};

}  // namespace

SweepResult sweep(const SweepOptions& options, Progress& progress, std::stop_token stop) {
    return Sweep(options, progress, stop).run();
}

}  // namespace owq
