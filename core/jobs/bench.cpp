// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/bench.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <sstream>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/budget/budget.h"
#include "core/generate/generator.h"
#include "core/jobs/device_timing.h"
#include "core/jobs/product_timing.h"
#include "core/jobs/threads.h"
#include "core/model/model_source.h"
#include "core/model/rounded_head.h"
#include "kernels/matvec.h"

namespace owq {
namespace {

constexpr double kWeakBits = 0.01;  ///< paper: 3.01 bits

struct SyntheticModel {
    const char* name;
    int blocks;
    int64_t hidden, keyValue, inner;
    bool gated;
};
constexpr SyntheticModel kSynthetic[] = {
    {"llama-7b", 32, 4096, 4096, 11008, true}, {"opt-66b", 64, 9216, 9216, 36864, false}, {"llama-70b", 80, 8192, 1024, 28672, true}};

ModelInfo syntheticInfo(const std::string& name) {
    std::string known;
    for (const SyntheticModel& m : kSynthetic) {
        known += (known.empty() ? "" : ", ") + std::string(m.name);
        if (name != m.name) continue;
        ModelInfo info;
        info.blocks = m.blocks;
        info.weakRatio = m.gated ? 0.375 : 0.25;
        for (int b = 0; b < m.blocks; ++b) {
            const auto add = [&](const char* kind, int64_t rows, int64_t columns, bool feedForward) {
                LinearInfo l;
                l.name = std::to_string(b) + "." + kind;
                l.block = b;
                l.kind = kind;
                l.rows = rows;
                l.columns = columns;
                l.feedForward = feedForward;
                info.linears.push_back(l);
            };
            add("q", m.hidden, m.hidden, false);
            add("k", m.keyValue, m.hidden, false);
            add("v", m.keyValue, m.hidden, false);
            add("o", m.hidden, m.hidden, false);
            if (m.gated) add("gate", m.inner, m.hidden, true);
            add("up", m.inner, m.hidden, true);
            add("down", m.hidden, m.inner, true);
        }
        return info;
    }
    throw Error("there are no shapes of \"" + name + "\"", {}, "Known are " + known);
}

struct ShapeUse {
    int64_t count = 0;
    std::string merged;
};
using ShapeUses = std::map<ProductShape, ShapeUse>;

/// Linears of one input as an engine multiplies them that has merged their rows.
void addMerged(const ModelInfo& info, const BudgetPlan& plan, int bits, int64_t groupSize, ShapeUses& shapes) {
    for (const auto& [name, kinds] : {std::pair<const char*, std::vector<std::string>>{"q+k+v", {"q", "k", "v"}}, {"gate+up", {"gate", "up"}}}) {
        ProductShape merged{0, 0, bits, 0, groupSize};
        size_t found = 0;
        for (const LinearInfo& l : info.linears) {
            if (l.block != 0 || std::find(kinds.begin(), kinds.end(), l.kind) == kinds.end()) continue;
            merged.rows += l.rows;
            merged.columns = l.columns;
            merged.weakColumns = std::max(merged.weakColumns, int64_t(plan.find(l.name)->weakColumns));
            found++;
        }
        if (found == kinds.size()) shapes.try_emplace(merged, ShapeUse{0, name});
    }
}

/// Shapes of the quantized linears, or of all linears as they would be quantized.
ShapeUses shapesOf(const ModelSource* model, const ModelInfo& info, const BenchOptions& options, const std::stop_token& stop) {
    ShapeUses shapes;
    for (const LinearInfo& l : info.linears) {
        if (!model || !model->quantized(l.name)) continue;
        checkStop(stop);
        const QuantizedLinear q = model->linear(l.name);
        if (q.groupSize % kernels::kPackedGroup != 0)
            throw Error("groups of " + std::to_string(q.groupSize) + " columns cannot be multiplied packed: such a linear is held as floats", l.name,
                        "Quantize in groups of a multiple of " + std::to_string(kernels::kPackedGroup));
        shapes[{q.rows, q.columns, q.bits, int64_t(q.weakColumns.size()), q.groupSize}].count++;
    }
    if (!shapes.empty()) return shapes;
    for (const int bits : options.bits) {
        Recipe recipe;
        recipe.bits = bits;
        recipe.targetBits = bits + kWeakBits;
        const BudgetPlan plan = planBudget(info, recipe);
        for (const LinearInfo& l : info.linears) shapes[{l.rows, l.columns, bits, plan.find(l.name)->weakColumns, options.groupSize}].count++;
        if (!model) addMerged(info, plan, bits, options.groupSize, shapes);
    }
    return shapes;
}

void checkOptions(const BenchOptions& o) {
    if (o.model.empty() == o.synthetic.empty()) throw Error("either a model or synthetic shapes are needed", "bench", "Give one of the two");
    if (o.arithmetic == Arithmetic::dense)
        throw Error("dense arithmetic has no packed layers to measure", "bench", "Choose exact, int8x2 or int8; float32 products are measured beside them");
    if (o.workingSet < 0 || !(o.seconds >= 0)) throw Error("the working set and the time of a measurement must not be negative", "bench");
    for (const int64_t batch : o.batches)
        if (batch < 1 || batch > 4096) throw Error("a batch must be of 1 to 4096 tokens", "bench");
    for (const int bits : o.bits)
        if (!isPackedWidth(bits)) throw Error("weights of " + std::to_string(bits) + " bits cannot be packed", "bench", "Choose among 2, 3, 4 and 8");
    if (o.headBits != 16 && !isPackedWidth(o.headBits))
        throw Error("a head of " + std::to_string(o.headBits) + " bits cannot be packed", "bench", "Choose among 2, 3, 4, 8 and 16");
    if (o.headBits != 16 && o.model.empty()) throw Error("synthetic shapes have no head", "bench", "Leave the head's width out");
    if (o.groupSize < 0 || o.groupSize % kernels::kPackedGroup != 0)
        throw Error("groups of " + std::to_string(o.groupSize) + " columns cannot be multiplied packed", "bench",
                    "Choose a multiple of " + std::to_string(kernels::kPackedGroup) + ", or 0 for one grid a row");
    if (o.batches.empty() || o.bits.empty()) throw Error("there is no batch or no width to measure", "bench");
}

constexpr int64_t kPromptTokens = 512;

void checkContext(BenchOptions& o, const ModelInfo& info) {
    if (o.promptTokens == 0) o.promptTokens = std::clamp<int64_t>(info.maxPositions - o.newTokens, 1, kPromptTokens);
    if (o.promptTokens < 1 || o.newTokens < 0 || o.promptTokens + o.newTokens > info.maxPositions)
        throw Error("a prompt of " + std::to_string(o.promptTokens) + " tokens and " + std::to_string(o.newTokens) + " new ones do not fit the model's " +
                        std::to_string(info.maxPositions) + " positions", "bench", "Ask for fewer");
}

std::vector<BenchTotal> totalsOf(const std::vector<BenchLayer>& layers, bool byWidth) {
    struct Sum {
        double packed = 0, half = 0, single = 0;
    };
    std::map<std::pair<int, int64_t>, Sum> sums;
    for (const BenchLayer& l : layers) {
        Sum& sum = sums[{byWidth ? l.bits : 0, l.batch}];
        sum.packed += double(l.count) * l.seconds;
        sum.half += double(l.count) * l.halfSeconds;
        sum.single += double(l.count) * l.floatSeconds;
    }
    std::vector<BenchTotal> totals;
    for (const auto& [key, sum] : sums) {
        const double tokens = double(key.second);
        totals.push_back({key.first, key.second, tokens / sum.packed, tokens / sum.half, tokens / sum.single});
    }
    return totals;
}

/// What times products: the CPU's kernels, or what a device has.
struct Stopwatch {
    Timing timing;
    Arithmetic arithmetic;
    std::stop_token stop;
    std::optional<DeviceTimer> device;

    double memoryRate() { return device ? device->copyRate(stop) : readRate(timing, stop); }
    ProductTime dense(int64_t rows, int64_t columns, int bits, int64_t batch) {
        return device ? device->dense(rows, columns, bits, batch, stop) : denseProductTime(rows, columns, bits, batch, timing, stop);
    }
    std::vector<ProductTime> packed(const std::vector<ProductShape>& shapes, int64_t batch) {
        if (!device) return packedProductTimes(shapes, batch, arithmetic, timing, stop);
        std::vector<ProductTime> times;
        for (const ProductShape& shape : shapes) times.push_back(device->packed(shape, batch, arithmetic, stop));
        return times;
    }
};

BenchHead timeHead(const ModelSource& model, const BenchOptions& o, Stopwatch& watch) {
    const HeadShape shape = headShape(model);
    const int bits = o.headBits == 16 && watch.device ? 32 : o.headBits;
    const ProductTime time =
        o.headBits == 16 ? watch.dense(shape.rows, shape.columns, bits, 1) : watch.packed({{shape.rows, shape.columns, bits}}, 1).front();
    return {shape.rows, shape.columns, bits, time.seconds, time.bytes};
}

BenchModelTimes timeWholeModel(std::shared_ptr<const ModelSource> model, std::shared_ptr<const Device> device, const BenchOptions& o,
                               Progress& progress, const std::stop_token& stop) {
    progress.report("Loading the model", "", 0.8);
    if (o.headBits != 16) model = withRoundedHead(std::move(model), o.headBits);
    Generator generator(model, o.arithmetic, stop, std::move(device));
    std::mt19937 random(1);
    std::vector<int32_t> prompt(static_cast<size_t>(o.promptTokens));
    for (int32_t& id : prompt) id = int32_t(random() % uint32_t(model->info().vocabulary));
    SamplingOptions options;
    options.stopAtEnd = false;
    options.maxTokens = 2;
    progress.report("Generating", "", 0.9);
    generator.generate(prompt, options, {}, stop);  // warms up
    options.maxTokens = o.newTokens + 1;
    const Generation g = generator.generate(prompt, options, {}, stop);
    return {o.promptTokens, g.decodeSteps, g.promptSeconds, g.decodeSeconds};
}

void writeTable(const BenchResult& r, const std::filesystem::path& file) {
    std::ostringstream out;
    out.precision(6);
    out << "rows,columns,bits,weak_columns,group_size,count,batch,seconds,without_weak_seconds,fp16_seconds,fp32_seconds,bytes,gigabytes_per_second,share_of_read_rate,merged\n";
    for (const BenchLayer& l : r.layers)
        out << l.rows << ',' << l.columns << ',' << l.bits << ',' << l.weakColumns << ',' << l.groupSize << ',' << l.count << ',' << l.batch << ','
            << l.seconds << ',' << l.withoutWeakSeconds << ',' << l.halfSeconds << ',' << l.floatSeconds << ',' << l.bytes << ','
            << l.bytesPerSecond() * 1e-9 << ',' << l.bytesPerSecond() / r.readRate << ',' << l.merged << '\n';
    writeText(file, out.str());
}

}  // namespace

std::vector<BenchLayer> benchLayers(const BenchOptions& options, std::stop_token stop) {
    checkOptions(options);
    const auto model = options.model.empty() ? nullptr : ModelSource::open(options.model, options.modelFolder);
    const ModelInfo info = model ? model->info() : syntheticInfo(options.synthetic);
    std::vector<BenchLayer> layers;
    for (const auto& [shape, use] : shapesOf(model.get(), info, options, stop)) {
        BenchLayer& l = layers.emplace_back();
        l.rows = shape.rows, l.columns = shape.columns, l.bits = shape.bits;
        l.weakColumns = shape.weakColumns, l.groupSize = shape.groupSize;
        l.count = use.count, l.merged = use.merged;
    }
    return layers;
}

BenchResult bench(const BenchOptions& options, Progress& progress, std::stop_token stop) {
    checkOptions(options);
    return benchOn(openDevice(options.device), options, progress, stop);
}

BenchResult benchOn(std::shared_ptr<const Device> device, const BenchOptions& asked, Progress& progress, std::stop_token stop) {
    BenchOptions options = asked;
    checkOptions(options);
    const auto model = options.model.empty() ? nullptr : ModelSource::open(options.model, options.modelFolder);
    const ModelInfo info = model ? model->info() : syntheticInfo(options.synthetic);
    if (model && options.newTokens) checkContext(options, info);
    BenchResult result;
    result.model = model ? options.model.string() : options.synthetic;
    result.arithmetic = arithmeticName(options.arithmetic);
    result.threads = threads();
    result.device = device ? DeviceKind::cuda : DeviceKind::cpu;
    result.deviceName = device ? deviceName(*device) : "CPU";
    progress.report(device ? "Measuring the copy rate" : "Measuring the read rate", "", 0);
    const ShapeUses shapes = shapesOf(model.get(), info, options, stop);
    Stopwatch watch{{options.workingSet, options.seconds}, options.arithmetic, stop, std::nullopt};
    if (device) watch.device.emplace(*device, watch.timing);
    result.readRate = watch.memoryRate();
    const double share = (options.newTokens && model ? 0.8 : 1.0) / double(shapes.size() * options.batches.size());
    std::map<std::tuple<int64_t, int64_t, int64_t>, std::pair<double, double>> dense;  // by rows, columns and batch: fp16, fp32
    for (const int64_t batch : options.batches)
        for (const auto& [shape, use] : shapes) {
            progress.report("Measuring layers", std::to_string(shape.rows) + " x " + std::to_string(shape.columns) + ", " + std::to_string(shape.bits) + " bits",
                            share * double(result.layers.size()));
            auto& reference = dense[{shape.rows, shape.columns, batch}];
            if (!reference.first)
                reference = {watch.dense(shape.rows, shape.columns, 16, batch).seconds, watch.dense(shape.rows, shape.columns, 32, batch).seconds};
            std::vector<ProductShape> compared{shape};
            if (shape.weakColumns) compared.push_back({shape.rows, shape.columns, shape.bits, 0, shape.groupSize});
            const std::vector<ProductTime> times = watch.packed(compared, batch);
            const ProductTime& time = times.front();
            const double without = times.back().seconds;
            result.layers.push_back({shape.rows, shape.columns, shape.bits, shape.weakColumns, shape.groupSize, use.count, batch, time.seconds, without,
                                     reference.first, reference.second, time.bytes, use.merged});
        }
    result.quantized = model && std::any_of(info.linears.begin(), info.linears.end(), [&](const LinearInfo& l) { return model->quantized(l.name); });
    result.totals = totalsOf(result.layers, !result.quantized);
    if (!options.csv.empty()) writeTable(result, options.csv);
    if (model) result.head = timeHead(*model, options, watch);
    result.recorded = watch.device && watch.device->recorded();
    if (model && options.newTokens) result.whole = timeWholeModel(model, device, options, progress, stop);
    progress.report("Measured", "", 1);
    return result;
}

Json toJson(const BenchResult& r) {
    Json layers = Json::array(), totals = Json::array();
    for (const BenchLayer& l : r.layers)
        layers.push_back({{"rows", l.rows}, {"columns", l.columns}, {"bits", l.bits}, {"weak_columns", l.weakColumns}, {"group_size", l.groupSize},
                          {"count", l.count}, {"batch", l.batch}, {"seconds", l.seconds}, {"without_weak_seconds", l.withoutWeakSeconds},
                          {"fp16_seconds", l.halfSeconds}, {"fp32_seconds", l.floatSeconds}, {"bytes", l.bytes},
                          {"bytes_per_second", l.bytesPerSecond()}, {"share_of_read_rate", l.bytesPerSecond() / r.readRate},
                          {"merged", l.merged.empty() ? Json() : Json(l.merged)}});
    for (const BenchTotal& t : r.totals)
        totals.push_back({{"bits", t.bits ? Json(t.bits) : Json()}, {"batch", t.batch}, {"tokens_per_second", t.tokensPerSecond},
                          {"fp16_tokens_per_second", t.halfTokensPerSecond}, {"fp32_tokens_per_second", t.floatTokensPerSecond}});
    Json json = {{"model", r.model}, {"arithmetic", r.arithmetic}, {"device", deviceKindName(r.device)}, {"device_name", r.deviceName},
                 {"recorded", r.recorded}, {"threads", r.threads}, {"read_bytes_per_second", r.readRate},
                 {"layers", layers}, {"packed_linears", totals}};
    if (r.head)
        json["head"] = {{"rows", r.head->rows}, {"columns", r.head->columns}, {"bits", r.head->bits}, {"seconds", r.head->seconds}, {"bytes", r.head->bytes}};
    if (r.whole)
        json["whole_model"] = {{"prompt_tokens", r.whole->promptTokens}, {"prompt_seconds", r.whole->promptSeconds}, {"new_tokens", r.whole->newTokens},
                               {"decode_seconds", r.whole->decodeSeconds},
                               {"prompt_tokens_per_second", double(r.whole->promptTokens) / r.whole->promptSeconds},
                               {"decode_tokens_per_second", double(r.whole->newTokens) / r.whole->decodeSeconds}};
    return json;
}

}  // namespace owq
