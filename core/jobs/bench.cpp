// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/bench.h"

#include <algorithm>
#include <map>
#include <random>
#include <sstream>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/budget/budget.h"
#include "core/generate/generator.h"
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

using ShapeCounts = std::map<ProductShape, int64_t>;

/// Shapes of the quantized linears, or of all linears as they would be quantized.
ShapeCounts shapesOf(const ModelSource* model, const ModelInfo& info, const std::vector<int>& widths, const std::stop_token& stop) {
    ShapeCounts shapes;
    for (const LinearInfo& l : info.linears) {
        if (!model || !model->quantized(l.name)) continue;
        checkStop(stop);
        const QuantizedLinear q = model->linear(l.name);
        if (q.groupSize % kernels::kPackedGroup != 0)
            throw Error("groups of " + std::to_string(q.groupSize) + " columns cannot be multiplied packed: such a linear is held as floats", l.name,
                        "Quantize in groups of a multiple of " + std::to_string(kernels::kPackedGroup));
        shapes[{q.rows, q.columns, q.bits, int64_t(q.weakColumns.size()), q.groupSize}]++;
    }
    if (!shapes.empty()) return shapes;
    for (const int bits : widths) {
        Recipe recipe;
        recipe.bits = bits;
        recipe.targetBits = bits + kWeakBits;
        const BudgetPlan plan = planBudget(info, recipe);
        for (const LinearInfo& l : info.linears) shapes[{l.rows, l.columns, bits, plan.find(l.name)->weakColumns, 0}]++;
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

BenchHead timeHead(const ModelSource& model, const BenchOptions& o, const Timing& timing, const std::stop_token& stop) {
    const HeadShape shape = headShape(model);
    const ProductTime time = o.headBits == 16 ? denseProductTime(shape.rows, shape.columns, 16, 1, timing, stop)
                                              : packedProductTime({shape.rows, shape.columns, o.headBits}, 1, o.arithmetic, timing, stop);
    return {shape.rows, shape.columns, o.headBits, time.seconds, time.bytes};
}

BenchModelTimes timeWholeModel(std::shared_ptr<const ModelSource> model, const BenchOptions& o, Progress& progress, const std::stop_token& stop) {
    progress.report("Loading the model", "", 0.8);
    if (o.headBits != 16) model = withRoundedHead(std::move(model), o.headBits);
    Generator generator(model, o.arithmetic, stop);
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
    out << "rows,columns,bits,weak_columns,group_size,count,batch,seconds,without_weak_seconds,fp16_seconds,fp32_seconds,bytes,gigabytes_per_second,share_of_read_rate\n";
    for (const BenchLayer& l : r.layers)
        out << l.rows << ',' << l.columns << ',' << l.bits << ',' << l.weakColumns << ',' << l.groupSize << ',' << l.count << ',' << l.batch << ','
            << l.seconds << ',' << l.withoutWeakSeconds << ',' << l.halfSeconds << ',' << l.floatSeconds << ',' << l.bytes << ','
            << l.bytesPerSecond() * 1e-9 << ',' << l.bytesPerSecond() / r.readRate << '\n';
    writeText(file, out.str());
}

}  // namespace

BenchResult bench(const BenchOptions& asked, Progress& progress, std::stop_token stop) {
    BenchOptions options = asked;
    checkOptions(options);
    const auto model = options.model.empty() ? nullptr : ModelSource::open(options.model, options.modelFolder);
    const ModelInfo info = model ? model->info() : syntheticInfo(options.synthetic);
    if (model && options.newTokens) checkContext(options, info);
    BenchResult result;
    result.model = model ? options.model.string() : options.synthetic;
    result.arithmetic = arithmeticName(options.arithmetic);
    result.threads = threads();
    progress.report("Measuring the read rate", "", 0);
    const ShapeCounts shapes = shapesOf(model.get(), info, options.bits, stop);
    const Timing timing{options.workingSet, options.seconds};
    result.readRate = readRate(timing, stop);
    const double share = (options.newTokens && model ? 0.8 : 1.0) / double(shapes.size() * options.batches.size());
    std::map<std::tuple<int64_t, int64_t, int64_t>, std::pair<double, double>> dense;  // by rows, columns and batch: fp16, fp32
    for (const int64_t batch : options.batches)
        for (const auto& [shape, count] : shapes) {
            progress.report("Measuring layers", std::to_string(shape.rows) + " x " + std::to_string(shape.columns) + ", " + std::to_string(shape.bits) + " bits",
                            share * double(result.layers.size()));
            auto& reference = dense[{shape.rows, shape.columns, batch}];
            if (!reference.first)
                reference = {denseProductTime(shape.rows, shape.columns, 16, batch, timing, stop).seconds,
                             denseProductTime(shape.rows, shape.columns, 32, batch, timing, stop).seconds};
            std::vector<ProductShape> compared{shape};
            if (shape.weakColumns) compared.push_back({shape.rows, shape.columns, shape.bits, 0, shape.groupSize});
            const std::vector<ProductTime> times = packedProductTimes(compared, batch, options.arithmetic, timing, stop);
            const ProductTime& time = times.front();
            const double without = times.back().seconds;
            result.layers.push_back({shape.rows, shape.columns, shape.bits, shape.weakColumns, shape.groupSize, count, batch, time.seconds, without,
                                     reference.first, reference.second, time.bytes});
        }
    result.quantized = model && std::any_of(info.linears.begin(), info.linears.end(), [&](const LinearInfo& l) { return model->quantized(l.name); });
    result.totals = totalsOf(result.layers, !result.quantized);
    if (!options.csv.empty()) writeTable(result, options.csv);
    if (model) result.head = timeHead(*model, options, timing, stop);
    if (model && options.newTokens) result.whole = timeWholeModel(model, options, progress, stop);
    progress.report("Measured", "", 1);
    return result;
}

Json toJson(const BenchResult& r) {
    Json layers = Json::array(), totals = Json::array();
    for (const BenchLayer& l : r.layers)
        layers.push_back({{"rows", l.rows}, {"columns", l.columns}, {"bits", l.bits}, {"weak_columns", l.weakColumns}, {"group_size", l.groupSize},
                          {"count", l.count}, {"batch", l.batch}, {"seconds", l.seconds}, {"without_weak_seconds", l.withoutWeakSeconds},
                          {"fp16_seconds", l.halfSeconds}, {"fp32_seconds", l.floatSeconds}, {"bytes", l.bytes},
                          {"bytes_per_second", l.bytesPerSecond()}, {"share_of_read_rate", l.bytesPerSecond() / r.readRate}});
    for (const BenchTotal& t : r.totals)
        totals.push_back({{"bits", t.bits ? Json(t.bits) : Json()}, {"batch", t.batch}, {"tokens_per_second", t.tokensPerSecond},
                          {"fp16_tokens_per_second", t.halfTokensPerSecond}, {"fp32_tokens_per_second", t.floatTokensPerSecond}});
    Json json = {{"model", r.model}, {"arithmetic", r.arithmetic}, {"threads", r.threads}, {"read_bytes_per_second", r.readRate},
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
