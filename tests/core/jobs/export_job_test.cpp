// SPDX-License-Identifier: Apache-2.0
// What a run says about its size against the bytes of the files that it is exported to, and the exports against the run.
#include "core/jobs/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/checkpoint/torch_pickle.h"
#include "core/jobs/evaluate.h"
#include "core/jobs/generate.h"
#include "core/jobs/quantize.h"
#include "core/model/model_source.h"
#include "core/pack/layer_file.h"
#include "core/pack/packed_model.h"
#include "core/store/run_directory.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Bits and weak columns of the first linears of the model; the others are kept.
using Plan = std::vector<std::pair<int, int64_t>>;

struct Combination {
    const char* name;
    Plan plan;
    int64_t groupSize = 0;
    bool symmetric = false;
    DType dtype = DType::f16;
    Method method = Method::owq;
    bool authors = false;  ///< whether the authors' file can hold it
};
void PrintTo(const Combination& c, std::ostream* out) { *out << c.name; }

const std::vector<Combination>& combinations() {
    static const std::vector<Combination> all{
        {.name = "TwoBits", .plan = {{2, 0}, {2, 4}, {2, 34}, {2, 1}}},
        {.name = "ThreeBits", .plan = {{3, 0}, {3, 4}, {3, 33}, {3, 1}, {3, 2}, {3, 2}, {3, 6}}, .authors = true},
        {.name = "FourBits", .plan = {{4, 2}, {4, 4}, {4, 40}, {4, 0}}, .authors = true},
        {.name = "EightBits", .plan = {{8, 0}, {8, 2}, {8, 40}}},
        {.name = "Mixed", .plan = {{2, 2}, {3, 4}, {4, 0}, {8, 6}, {16, 0}, {3, 35}, {4, 2}}},
        {.name = "Groups", .plan = {{3, 0}, {4, 0}, {2, 0}, {8, 0}, {3, 0}, {3, 0}, {3, 0}}, .groupSize = 64, .method = Method::optq},
        {.name = "GroupsWithWeakColumns", .plan = {{3, 4}, {4, 70}, {2, 1}, {8, 2}, {3, 0}, {16, 0}, {3, 66}}, .groupSize = 32},
        {.name = "Symmetric", .plan = {{3, 4}, {4, 0}, {2, 2}, {8, 2}}, .symmetric = true},
        {.name = "SymmetricGroups", .plan = {{3, 4}, {4, 0}, {2, 33}, {8, 2}}, .groupSize = 128, .symmetric = true},
        {.name = "PlainRounding", .plan = {{4, 0}, {4, 0}}, .method = Method::rtn, .authors = true},
        {.name = "SinglePrecision", .plan = {{3, 4}, {4, 2}, {8, 0}}, .groupSize = 64, .dtype = DType::f32},
        {.name = "Bfloat", .plan = {{3, 4}, {3, 2}, {3, 0}}, .dtype = DType::bf16, .authors = true},
    };
    return all;
}

/// The sample in another type.
fs::path converted(const fs::path& folder, DType dtype) {
    const fs::path sample = OWQ_SAMPLE "/sample-llama";
    if (dtype == DType::f16) return sample;
    fs::create_directories(folder);
    const auto original = Checkpoint::open(sample);
    NamedTensors tensors;
    for (const TensorInfo& t : original->tensors())
        tensors.emplace_back(t.name, Tensor::rounded(dtype, t.shape, original->read(t.name).toFloat()));
    writeSafetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
    Json config = original->config();
    config["torch_dtype"] = dtype == DType::f32 ? "float32" : "bfloat16";
    writeJson(folder / "config.json", config);
    for (const char* name : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json"}) fs::copy_file(sample / name, folder / name);
    return folder;
}

struct FileBytes {
    uint64_t packed = 0, all = 0;
};

bool isPart(const std::string& name) {
    for (const char* part : {".qweight", ".scales", ".zeros", ".oweight", ".outlieridx"})
        if (name.ends_with(part)) return true;
    return false;
}

/// From the header, by the format's own description.
FileBytes safetensorsBytes(const fs::path& file) {
    const std::string text = readText(file);
    uint64_t length = 0;
    std::memcpy(&length, text.data(), sizeof length);
    FileBytes bytes;
    const Json header = parseJson(std::string_view(text).substr(8, length), file.string());
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") continue;
        const uint64_t size = entry["data_offsets"][1].get<uint64_t>() - entry["data_offsets"][0].get<uint64_t>();
        bytes.all += size;
        if (isPart(name)) bytes.packed += size;
    }
    EXPECT_EQ(8 + length + bytes.all, text.size()) << "no gaps";
    return bytes;
}

FileBytes torchBytes(const fs::path& file) {
    const PickleValue root = readTorchFile(file);
    FileBytes bytes;
    for (const auto& [name, value] : std::get<PickleDict>(root.find("model_state_dict")->value))
        if (isPart(name)) bytes.packed += std::get<Tensor>(value.value).bytes();
    return bytes;
}

class ExportJob : public testing::TestWithParam<Combination> {
protected:
    QuantizeOptions options() {
        const Combination& c = GetParam();
        QuantizeOptions o;
        o.model = converted(folder / "model", c.dtype);
        o.out = folder / "run";
        o.calibration.text = OWQ_SAMPLE "/calibration.txt";
        o.calibration.samples = 2;
        o.calibration.sequenceLength = 64;
        o.recipe.method = c.method;
        o.recipe.groupSize = c.groupSize;
        o.recipe.symmetric = c.symmetric;
        o.budget = folder / "budget.json";
        Json linears = Json::array();
        const std::vector<LinearInfo> infos = ModelSource::open(o.model)->info().linears;
        for (size_t i = 0; i < infos.size(); ++i) {
            const auto [bits, weak] = i < c.plan.size() ? c.plan[i] : std::pair<int, int64_t>{16, 0};
            linears.push_back({{"name", infos[i].name}, {"bits", bits}, {"weak_columns", weak}});
            if (bits < 16) weights += double(infos[i].rows) * double(infos[i].columns);
        }
        writeJson(o.budget, {{"schema", 1}, {"linears", std::move(linears)}});
        return o;
    }
    ExportResult exported(const std::string& format, const std::string& layout, const fs::path& out) {
        Progress progress;
        return exportModel({.run = folder / "run", .format = format, .layout = layout, .out = out}, progress, {});
    }
    /// What the file must hold of the run's linear.
    QuantizedLinear rounded(const std::string& name, DType type) const {
        QuantizedLinear q = readLayerFile(layerFile(folder / "run", name)).weight;
        q.scale = Tensor::rounded(type, {int64_t(q.scale.size())}, q.scale).toFloat();
        q.weakWeight = Tensor::rounded(type, {int64_t(q.weakWeight.size())}, q.weakWeight).toFloat();
        return q;
    }
    void expectRun(const fs::path& out, const fs::path& modelFolder, DType type) {
        const auto model = ModelSource::open(out, modelFolder);
        const auto original = ModelSource::open(folder / "run");
        for (const LinearInfo& l : original->info().linears) {
            ASSERT_EQ(model->quantized(l.name), original->quantized(l.name)) << l.name;
            if (!model->quantized(l.name)) {
                EXPECT_EQ(model->tensor(l.name + ".weight").toFloat(), original->tensor(l.name + ".weight").toFloat()) << l.name;
                continue;
            }
            const QuantizedLinear run = rounded(l.name, type), file = model->linear(l.name);
            EXPECT_EQ(file.bits, run.bits) << l.name;
            EXPECT_EQ(file.codes, run.codes) << l.name;
            EXPECT_EQ(file.scale, run.scale) << l.name;
            EXPECT_EQ(file.zero, run.zero) << l.name;
            EXPECT_EQ(file.weakColumns, run.weakColumns) << l.name;
            EXPECT_EQ(file.weakWeight, run.weakWeight) << l.name;
            EXPECT_EQ(dequantize(file), dequantize(run)) << l.name;
        }
    }
    TemporaryFolder folder;
    double weights = 0;
};
INSTANTIATE_TEST_SUITE_P(Combinations, ExportJob, testing::ValuesIn(combinations()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(ExportJob, EffectiveBitsAreTheFilesAndTheExportsAreTheRun) {
    const Combination& c = GetParam();
    Progress progress;
    const QuantizeOptions o = options();
    const QuantizeResult run = quantize(o, progress, {});
    ASSERT_EQ(run.layers.size(), size_t(std::count_if(c.plan.begin(), c.plan.end(), [](auto& p) { return p.first < 16; })));

    const ExportResult latency = exported("owq", "latency", folder / "latency");
    const FileBytes latencyBytes = safetensorsBytes(folder / "latency" / "model.safetensors");
    EXPECT_EQ(latency.packedBytes, latencyBytes.packed);
    EXPECT_EQ(run.packedBytes, latencyBytes.packed);
    EXPECT_EQ(run.fileBytes, latencyBytes.all);
    EXPECT_EQ(latency.effectiveBits.stored, 8.0 * double(latencyBytes.packed) / weights);
    EXPECT_EQ(run.effectiveBits.stored, latency.effectiveBits.stored);
    EXPECT_EQ(run.effectiveBits.paper, latency.effectiveBits.paper);
    EXPECT_EQ(toJson(latency)["effective_bits"]["stored"], latency.effectiveBits.stored);
    expectRun(folder / "latency", {}, c.dtype);

    const ExportResult storage = exported("owq", "storage", folder / "storage");
    const FileBytes storageBytes = safetensorsBytes(folder / "storage" / "model.safetensors");
    EXPECT_EQ(storage.packedBytes, storageBytes.packed);
    EXPECT_EQ(storage.effectiveBits.stored, 8.0 * double(storageBytes.packed) / weights);
    EXPECT_EQ(storage.effectiveBits.paper, latency.effectiveBits.paper);
    uint64_t slots = 0;
    for (const LayerReport& l : run.layers) slots += uint64_t(l.linear.rows) * l.weakColumns.size() * uint64_t(l.bits) / 8;
    EXPECT_EQ(latencyBytes.packed - storageBytes.packed, slots);
    expectRun(folder / "storage", {}, c.dtype);

    if (c.authors) {
        const ExportResult authors = exported("owq-pth", "latency", folder / "model.pth");
        const FileBytes bytes = torchBytes(folder / "model.pth");
        EXPECT_EQ(authors.packedBytes, bytes.packed);
        EXPECT_EQ(authors.packedBytes, latencyBytes.packed);
        EXPECT_EQ(authors.effectiveBits.stored, 8.0 * double(bytes.packed) / weights);
        expectRun(folder / "model.pth", o.model, c.dtype);
    } else {
        EXPECT_THROW(exported("owq-pth", "latency", folder / "model.pth"), Error);
        EXPECT_FALSE(fs::exists(folder / "model.pth"));
    }

    const ExportResult dense = exported("dense", "latency", folder / "dense");
    EXPECT_FALSE(toJson(dense).contains("effective_bits"));
    const auto checkpoint = Checkpoint::open(folder / "dense");
    for (const LayerReport& l : run.layers) {
        const std::vector<float> w = dequantize(readLayerFile(layerFile(folder / "run", l.linear.name)).weight);
        EXPECT_EQ(checkpoint->read(l.linear.name + ".weight").toFloat(),
                  Tensor::rounded(c.dtype, {int64_t(w.size())}, w).toFloat());
    }
}

class ExportLayouts : public ExportJob {};
INSTANTIATE_TEST_SUITE_P(Combinations, ExportLayouts,
                         testing::Values(combinations()[4], combinations()[6]),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(ExportLayouts, ComputeTheSame) {
    Progress progress;
    quantize(options(), progress, {});
    std::vector<EvaluateResult> evaluated;
    std::vector<GenerateResult> generated;
    for (const char* layout : {"latency", "storage"}) {
        exported("owq", layout, folder / layout);
        EvaluateOptions e;
        e.model = folder / layout;
        e.text = OWQ_SAMPLE "/heldout.txt";
        e.sequenceLength = 64;
        e.maxWindows = 2;
        evaluated.push_back(evaluate(e, progress, {}));
        GenerateOptions g;
        g.model = folder / layout;
        g.prompt = "The ship";
        g.maxTokens = 8;
        generated.push_back(generate(g, progress, {}));
    }
    EXPECT_EQ(evaluated[0].nll, evaluated[1].nll);
    EXPECT_EQ(generated[0].ids, generated[1].ids);
    EXPECT_EQ(generated[0].ids.size(), 8u);
}

}  // namespace
}  // namespace owq
