// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/inspect.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/half.h"
#include "core/base/transpose.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/family.h"
#include "core/store/run_directory.h"
#include "core/text/tokenizer.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

std::vector<double> doubles(const Tensor& t) {
    if (t.dtype == DType::f64) {
        std::vector<double> out(size_t(t.count()));
        std::memcpy(out.data(), t.data, t.bytes());
        return out;
    }
    if (t.dtype == DType::f16 || t.dtype == DType::bf16 || t.dtype == DType::f32) {
        const std::vector<float> f = t.toFloat();
        return {f.begin(), f.end()};
    }
    Tensor integers = t;
    if (t.dtype == DType::boolean) integers.dtype = DType::u8;
    if (t.dtype == DType::f8_e4m3 || t.dtype == DType::f8_e5m2)
        throw Error("values of type " + std::string(name(t.dtype)) + " cannot be shown yet");
    const std::vector<int64_t> v = integers.toInteger();
    return {v.begin(), v.end()};
}

TensorValues valuesOf(const TensorInfo& info, const Tensor& t) {
    TensorValues out{info};
    const std::vector<double> all = doubles(t);
    out.first.assign(all.begin(), all.begin() + std::ptrdiff_t(std::min<size_t>(all.size(), 64)));
    double sum = 0, low = std::numeric_limits<double>::infinity(), high = -low;
    for (double v : all) {
        if (!std::isfinite(v)) {
            ++out.nonFinite;
            continue;
        }
        sum += v;
        low = std::min(low, v);
        high = std::max(high, v);
    }
    const int64_t finite = int64_t(all.size()) - out.nonFinite;
    if (finite > 0) {
        out.min = low;
        out.max = high;
        out.mean = sum / double(finite);
    }
    return out;
}

// JSON knows no NaN; people who read the file do.
Json number(double v) {
    if (std::isnan(v)) return "nan";
    if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
    return v;
}

Json numbers(const std::vector<float>& values) {
    Json list = Json::array();
    for (float v : values) list.push_back(number(v));
    return list;
}

std::string tokenizerOf(const fs::path& folder) {
    try {
        return openTokenizer(folder)->description();
    } catch (const Error& e) {
        return std::string("none: ") + e.happened();
    }
}

void inspectTensorFile(const InspectOptions& options, InspectResult& result) {
    const auto file = openTensorFile(options.model);
    result.tensors = file->tensors();
    result.files = {options.model};
    if (!options.tensor.empty()) {
        const TensorInfo* info = file->find(options.tensor);
        if (!info) throw Error("holds no tensor \"" + options.tensor + "\"", options.model.string());
        result.tensor = valuesOf(*info, file->read(options.tensor));
    }
    if (options.statistics || !options.layer.empty())
        throw Error("is a bare tensor file: layer statistics need a model with its config.json", options.model.string(),
                    "Use --tensor for the values of one tensor");
}

void addRanges(const InspectOptions& options, const ModelSource& model, InspectResult& result, Progress& progress,
               std::stop_token stop) {
    const auto& linears = result.info.linears;
    if (!options.layer.empty() && !result.info.find(options.layer))
        throw Error("has no quantizable linear \"" + options.layer + "\"", options.model.string(), "See the names with owq inspect");
    const bool turned = familyOf(model.config(), options.model.string()).storedTransposed;
    for (size_t i = 0; i < linears.size(); ++i) {
        const LinearInfo& l = linears[i];
        if (!options.layer.empty() && l.name != options.layer) continue;
        checkStop(stop);
        progress.report("Reading weights", l.name, double(i) / double(linears.size()));
        std::vector<float> weight =
            model.quantized(l.name) ? dequantize(model.linear(l.name)) : model.tensor(l.name + ".weight").toFloat();
        if (turned && !model.quantized(l.name)) weight = transposed(weight, l.columns, l.rows);
        result.ranges.push_back(columnRanges(l.name, weight.data(), l.rows, l.columns));
    }
}

}  // namespace

InspectResult inspect(const InspectOptions& options, Progress& progress, std::stop_token stop) {
    InspectResult result;
    result.path = options.model;
    if (!fs::exists(options.model)) throw Error("does not exist", options.model.string());
    result.kind = identify(options.model);
    if (result.kind == ModelKind::tensorFile || (result.kind == ModelKind::pth && options.modelFolder.empty())) {
        result.kind = ModelKind::tensorFile;
        inspectTensorFile(options, result);
        return result;
    }
    fs::path path = options.model;
    if (result.kind == ModelKind::run) {
        const RunState state = readRunState(options.model);
        result.state = state.complete ? "finished" : std::to_string(state.finished.size()) + " of " +
                                                         std::to_string(state.linears.size()) + " linears finished";
        if (state.description.value("kind", "") == "analysis") result.state = "analysis, " + result.state;
        // An unfinished run is shown through the checkpoint it was made from.
        if (!state.complete || state.description.value("kind", "") == "analysis")
            path = findModel(options.model, state);
    }
    progress.report("Reading headers", path.string(), 0);
    const auto model = ModelSource::open(path, options.modelFolder);
    result.info = model->info();
    result.tokenizer = tokenizerOf(model->tokenizerFolder());
    if (result.kind == ModelKind::checkpoint) {
        const auto checkpoint = Checkpoint::open(path);
        result.files = checkpoint->files();
        result.tensors = checkpoint->tensors();
    }
    if (options.statistics || !options.layer.empty()) addRanges(options, *model, result, progress, stop);
    if (!options.tensor.empty()) {
        if (!model->has(options.tensor)) throw Error("holds no tensor \"" + options.tensor + "\"", options.model.string());
        const Tensor t = model->tensor(options.tensor);
        result.tensor = valuesOf({options.tensor, t.dtype, t.shape, path, t.bytes()}, t);
    }
    progress.report("Done", "", 1);
    return result;
}

Json toJson(const InspectResult& r) {
    Json j;
    j["kind"] = modelKindName(r.kind);
    j["path"] = r.path.string();
    if (r.kind == ModelKind::tensorFile) {
        Json list = Json::array();
        for (const TensorInfo& t : r.tensors)
            list.push_back({{"name", t.name}, {"dtype", std::string(name(t.dtype))}, {"shape", t.shape}});
        j["tensors"] = std::move(list);
    } else {
        if (!r.state.empty()) j["state"] = r.state;
        j["family"] = r.info.family;
        j["parameters"] = r.info.parameters;
        j["bytes"] = r.info.bytes;
        j["dtype"] = std::string(name(r.info.dtype));
        j["blocks"] = r.info.blocks;
        j["hidden"] = r.info.hidden;
        j["heads"] = r.info.heads;
        j["key_value_heads"] = r.info.keyValueHeads;
        j["vocabulary"] = r.info.vocabulary;
        j["max_positions"] = r.info.maxPositions;
        j["tokenizer"] = r.tokenizer;
        Json list = Json::array();
        for (const LinearInfo& l : r.info.linears)
            list.push_back({{"name", l.name}, {"rows", l.rows}, {"columns", l.columns}, {"dtype", std::string(name(l.dtype))},
                            {"input", l.inputGroup}, {"block", l.block}, {"kind", l.kind}, {"bias", l.bias}});
        j["layers"] = std::move(list);
    }
    if (!r.ranges.empty()) {
        Json list = Json::array();
        for (const ColumnRanges& c : r.ranges)
            list.push_back({{"name", c.layer}, {"min", number(c.min)}, {"max", number(c.max)}, {"mean", number(c.mean)},
                            {"standard_deviation", number(c.standardDeviation)}, {"nonfinite", c.nonFinite},
                            {"column_min", numbers(c.columnMin)}, {"column_max", numbers(c.columnMax)}});
        j["statistics"] = std::move(list);
    }
    if (r.tensor) {
        Json values = Json::array();
        for (double v : r.tensor->first) values.push_back(number(v));
        j["tensor"] = {{"name", r.tensor->info.name}, {"dtype", std::string(name(r.tensor->info.dtype))},
                       {"shape", r.tensor->info.shape}, {"values", std::move(values)}, {"min", number(r.tensor->min)},
                       {"max", number(r.tensor->max)}, {"mean", number(r.tensor->mean)}, {"nonfinite", r.tensor->nonFinite}};
    }
    return j;
}

}  // namespace owq
