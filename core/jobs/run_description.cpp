// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/run_description.h"

#include <algorithm>

#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"
#include "core/jobs/threads.h"
#include "core/version.h"

namespace owq {
namespace fs = std::filesystem;

int64_t resolveSequenceLength(int64_t asked, const ModelInfo& info) {
    if (asked == 0) return std::min<int64_t>(info.maxPositions, 2048);
    if (asked == -1) return info.maxPositions;
    if (asked < 2) throw Error("the sequence length must be at least 2, not " + std::to_string(asked));
    if (asked > info.maxPositions)
        throw Error("the sequence length of " + std::to_string(asked) + " is over the model's maximum of " +
                    std::to_string(info.maxPositions), {}, "Choose a shorter one");
    return asked;
}

TokenWindows loadCalibration(const CalibrationOptions& options, const ModelSource& model) {
    if (options.text.empty() == options.tokens.empty())
        throw Error(options.text.empty() ? "no calibration text is given" : "both a calibration text and calibration tokens are given",
                    "calibration", "Give one of the two: a text (or JSON lines) file, or a safetensors file with input_ids");
    if (options.samples < 1) throw Error("the number of calibration windows must be at least 1", "calibration");
    CalibrationSource source{options.text, options.tokens, options.samples, 0, options.seed};
    // A token file brings its own window length unless one is asked for.
    if (!options.text.empty() || options.sequenceLength != 0)
        source.sequenceLength = resolveSequenceLength(options.sequenceLength, model.info());
    std::shared_ptr<const Tokenizer> tokenizer;
    if (!options.text.empty()) tokenizer = openTokenizer(model.tokenizerFolder());
    TokenWindows windows = calibrationWindows(source, tokenizer.get(), model.info().vocabulary);
    if (windows.length > model.info().maxPositions)
        throw Error("windows of " + std::to_string(windows.length) + " tokens are longer than the model's maximum of " +
                        std::to_string(model.info().maxPositions), options.tokens.string());
    return windows;
}

Json hashModel(const fs::path& modelPath, Progress& progress, std::stop_token stop) {
    const auto checkpoint = Checkpoint::open(modelPath);
    Json files = Json::object();
    for (const fs::path& file : checkpoint->files()) {
        checkStop(stop);
        progress.report("Checking the model's files", file.filename().string(), 0);
        files[file.filename().string()] = sha256File(file, stop);
    }
    files["config.json"] = sha256File(fs::canonical(checkpoint->folder()) / "config.json", stop);
    return files;
}

Json describeRun(const std::string& kind, const fs::path& modelPath, const ModelSource& model, const Recipe& recipe,
                 const BudgetPlan& plan, const CalibrationOptions* calibration, const TokenWindows* windows, const fs::path& out,
                 Progress& progress, std::stop_token stop, const Json* modelFiles, DeviceKind device) {
    const fs::path folder = fs::canonical(Checkpoint::open(modelPath)->folder());
    Json d;
    d["schema"] = 1;
    d["kind"] = kind;
    d["program"] = std::string("owq ") + kVersion;
    d["model"] = folder.string();
    d["model_relative"] = fs::proximate(folder, fs::weakly_canonical(fs::absolute(out))).string();
    d["model_name"] = folder.filename().string();
    d["family"] = model.info().family;
    d["model_files"] = modelFiles ? *modelFiles : hashModel(modelPath, progress, stop);
    d["recipe"] = toJson(recipe);
    if (calibration && windows) {
        Json c;
        const fs::path& source = calibration->text.empty() ? calibration->tokens : calibration->text;
        c["source"] = source.filename().string();
        c["samples"] = windows->count();
        c["sequence_length"] = windows->length;
        c["seed"] = calibration->seed;
        c["windows_sha256"] = sha256(std::as_bytes(std::span(windows->ids)));
        d["calibration"] = std::move(c);
    }
    d["device"] = deviceKindName(device);  // a GPU sums in another order: its results differ in the last bits
    d["threads"] = threads();
    Json names = Json::array(), budget = Json::array();
    for (const LinearBudget& b : plan.linears) {
        if (b.bits >= 16) continue;
        names.push_back(b.name);
        budget.push_back({{"name", b.name}, {"bits", b.bits}, {"weak_columns", b.weakColumns}});
    }
    d["linears"] = std::move(names);
    d["budget"] = std::move(budget);
    return d;
}

}  // namespace owq
