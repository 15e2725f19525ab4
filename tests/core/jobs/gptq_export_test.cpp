// SPDX-License-Identifier: Apache-2.0
// A run exported as a GPTQ checkpoint, read back by the format's formula alone: w = scale * (code - zero).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_file.h"
#include "core/jobs/evaluate.h"
#include "core/jobs/export.h"
#include "core/jobs/quantize.h"
#include "core/model/model_source.h"
#include "core/pack/layer_file.h"
#include "core/store/run_directory.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Setting {
    const char* name;
    Method method;
    int bits;
    int64_t groupSize;
    bool symmetric;
};

/// Code i of a stream of codes: words `stride` apart.
int codeAt(const std::vector<int64_t>& words, int64_t first, int64_t stride, int64_t i, int bits) {
    int code = 0;
    for (int b = 0; b < bits; ++b) {
        const int64_t bit = i * bits + b;
        code |= int(uint32_t(words[size_t(first + bit / 32 * stride)]) >> (bit % 32) & 1) << b;
    }
    return code;
}

class GptqExport : public testing::TestWithParam<Setting> {
protected:
    void run(QuantizeOptions o) {
        o.out = folder / "run";
        o.calibration.text = OWQ_SAMPLE "/calibration.txt";
        o.calibration.samples = 2;
        o.calibration.sequenceLength = 64;
        quantize(o, progress, {});
    }
    ExportResult exported() { return exportModel({.run = folder / "run", .format = "gptq", .out = folder / "out"}, progress, {}); }
    std::string refusal() {
        try {
            exported();
        } catch (const Error& e) {
            EXPECT_FALSE(fs::exists(folder / "out"));
            return e.what();
        }
        return "accepted";
    }
    TemporaryFolder folder;
    Progress progress;
};

TEST_P(GptqExport, IsTheRunByTheFormula) {
    const Setting& s = GetParam();
    QuantizeOptions o;
    o.model = OWQ_SAMPLE "/sample-opt";
    o.recipe.method = s.method;
    o.recipe.bits = s.bits;
    o.recipe.groupSize = s.groupSize;
    o.recipe.symmetric = s.symmetric;
    run(o);
    const ExportResult result = exported();

    const auto file = Checkpoint::open(folder / "out");
    const Json& config = file->config().at("quantization_config");
    EXPECT_EQ(readJson(folder / "out" / "quantize_config.json"), config);
    EXPECT_EQ(config.at("bits"), s.bits);
    EXPECT_EQ(config.at("group_size"), s.groupSize ? s.groupSize : -1);
    EXPECT_EQ(config.at("sym"), s.symmetric);
    const int less = config.at("checkpoint_format") == "gptq" ? 1 : 0;
    uint64_t bytes = 0;
    const std::vector<LinearInfo> linears = ModelSource::open(OWQ_SAMPLE "/sample-opt")->info().linears;
    for (const LinearInfo& l : linears) {
        const std::vector<int64_t> codes = file->read(l.name + ".qweight").toInteger(), zeros = file->read(l.name + ".qzeros").toInteger(),
                                   group = file->read(l.name + ".g_idx").toInteger();
        const std::vector<float> scales = file->read(l.name + ".scales").toFloat();
        QuantizedLinear q = readLayerFile(layerFile(folder / "run", l.name)).weight;
        q.scale = Tensor::rounded(DType::f16, {int64_t(q.scale.size())}, q.scale).toFloat();
        const std::vector<float> expected = dequantize(q);
        for (int64_t r = 0; r < l.rows; r += 7)
            for (int64_t c = 0; c < l.columns; c += 5) {
                const int64_t g = group[size_t(c)];
                const int code = codeAt(codes, r, l.rows, c, s.bits), zero = codeAt(zeros, g * (l.rows * s.bits / 32), 1, r, s.bits) + less;
                ASSERT_EQ(scales[size_t(g * l.rows + r)] * float(code - zero), expected[size_t(r * l.columns + c)]) << l.name << ", " << r << ", " << c;
            }
        EXPECT_FALSE(file->find(l.name + ".weight"));
        EXPECT_TRUE(file->find(l.name + ".bias"));
        for (const char* part : {".qweight", ".qzeros", ".scales", ".g_idx"}) bytes += file->find(l.name + part)->bytes;
    }
    EXPECT_EQ(result.packedBytes, bytes);
    EXPECT_TRUE(fs::exists(folder / "out" / "tokenizer_config.json"));
}

INSTANTIATE_TEST_SUITE_P(Settings, GptqExport,
                         testing::Values(Setting{"Rtn4", Method::rtn, 4, 0, false}, Setting{"Rtn3Groups", Method::rtn, 3, 64, false},
                                         Setting{"Optq4SymmetricGroups", Method::optq, 4, 128, true}, Setting{"Rtn8", Method::rtn, 8, 0, false},
                                         Setting{"Rtn2", Method::rtn, 2, 32, false}),
                         [](const auto& info) { return info.param.name; });

using GptqRefusals = GptqExport;

TEST_P(GptqRefusals, NameTheLinearAndTheWayOut) {
    QuantizeOptions o;
    o.model = OWQ_SAMPLE "/sample-opt";
    o.recipe.method = GetParam().method;
    if (o.recipe.method == Method::owq)
        o.recipe.weakColumns = 2;
    else
        o.recipe.layers = "q";
    run(o);
    EXPECT_THAT(refusal(), HasSubstr(o.recipe.method == Method::owq ? "weak columns" : "is not quantized"));
}

INSTANTIATE_TEST_SUITE_P(Settings, GptqRefusals,
                         testing::Values(Setting{"WeakColumns", Method::owq, 3, 0, false}, Setting{"KeptLinears", Method::rtn, 3, 0, false}),
                         [](const auto& info) { return info.param.name; });

/// What other programs write, and what they spoil, starting from an export of ours.
class GptqCheckpoint : public GptqExport {
protected:
    void make(int64_t groupSize) {
        QuantizeOptions o;
        o.model = OWQ_SAMPLE "/sample-opt";
        o.recipe.method = Method::rtn;
        o.recipe.bits = 4;
        o.recipe.groupSize = groupSize;
        run(o);
        exported();
        const auto file = openSafetensors(path / "model.safetensors");
        for (const TensorInfo& t : file->tensors()) tensors.emplace_back(t.name, file->read(t.name));
        config = readJson(path / "config.json");
    }
    Tensor& tensor(const std::string& name) {
        for (auto& [known, value] : tensors)
            if (known == name) return value;
        throw std::out_of_range(name);
    }
    void write() {
        writeSafetensors(folder / "new.safetensors", tensors, {{"format", "pt"}});
        fs::rename(folder / "new.safetensors", path / "model.safetensors");
        writeJson(path / "config.json", config);
    }
    double perplexity(Arithmetic arithmetic) {
        EvaluateOptions o;
        o.model = path;
        o.text = OWQ_SAMPLE "/heldout.txt";
        o.sequenceLength = 128;
        o.maxWindows = 4;
        o.arithmetic = arithmetic;
        return evaluate(o, progress, {}).perplexity;
    }
    std::string refusalOf(const std::function<void()>& change) {
        const auto keptTensors = tensors;
        const Json keptConfig = config;
        change();
        write();
        tensors = keptTensors;
        config = keptConfig;
        try {
            const auto model = ModelSource::open(path);
            model->linear(linear);
        } catch (const Error& e) {
            return e.what();
        }
        return "opened";
    }

    const std::string linear = "model.decoder.layers.1.self_attn.v_proj";
    fs::path path = folder / "out";
    NamedTensors tensors;
    Json config;
};

TEST_F(GptqCheckpoint, RunsPackedAsTheRunItWasMadeOf) {
    make(64);
    const auto model = ModelSource::open(path);
    EXPECT_EQ(model->kind(), ModelKind::packed);
    for (const LinearInfo& l : model->info().linears) {
        ASSERT_TRUE(model->quantized(l.name)) << l.name;
        const QuantizedLinear q = model->linear(l.name), run = readLayerFile(layerFile(folder / "run", l.name)).weight;
        EXPECT_EQ(q.codes, run.codes);
        EXPECT_EQ(q.zero, run.zero);
        EXPECT_EQ(q.groupSize, 64);
        EXPECT_EQ(q.scale, Tensor::rounded(DType::f16, {int64_t(run.scale.size())}, run.scale).toFloat());
    }
    EXPECT_NEAR(std::log(perplexity(Arithmetic::exact)), std::log(perplexity(Arithmetic::dense)), 1e-5);
}

TEST_F(GptqCheckpoint, MayLeaveOutIndicesThatSayNothing) {
    make(0);
    std::erase_if(tensors, [](const auto& t) { return t.first.ends_with(".g_idx"); });
    config["quantization_config"].erase("checkpoint_format");
    write();
    const auto model = ModelSource::open(path);
    EXPECT_EQ(model->linear(linear).codes, readLayerFile(layerFile(folder / "run", linear)).weight.codes);
}

TEST_F(GptqCheckpoint, IsDenseWhereGroupsAreScattered) {
    make(32);
    const std::vector<int64_t> codes = tensor(linear + ".qweight").toInteger(), zeros = tensor(linear + ".qzeros").toInteger();
    const std::vector<float> scales = tensor(linear + ".scales").toFloat();
    std::vector<int32_t> groupOf(256);
    for (int32_t c = 0; c < 256; ++c) groupOf[size_t(c)] = (c * 5 + 3) % 8;
    tensor(linear + ".g_idx") = Tensor::i32({256}, groupOf);
    config["quantization_config"]["desc_act"] = true;
    write();
    const auto model = ModelSource::open(path);
    EXPECT_FALSE(model->quantized(linear));
    EXPECT_TRUE(model->quantized("model.decoder.layers.1.self_attn.k_proj"));
    const Tensor weight = model->tensor(linear + ".weight");
    EXPECT_EQ(weight.dtype, DType::f16);
    const std::vector<float> values = weight.toFloat();
    const int less = config["quantization_config"]["checkpoint_format"] == "gptq" ? 1 : 0;
    std::vector<float> expected;
    for (int64_t r = 0; r < 256; ++r)
        for (int64_t c = 0; c < 256; ++c) {
            const int64_t g = groupOf[size_t(c)];
            const int zero = codeAt(zeros, g * (256 * 4 / 32), 1, r, 4) + less;
            expected.push_back(scales[size_t(g * 256 + r)] * float(codeAt(codes, r, 256, c, 4) - zero));
        }
    EXPECT_EQ(values, Tensor::rounded(DType::f16, {256, 256}, expected).toFloat());
    EXPECT_TRUE(std::isfinite(perplexity(Arithmetic::exact)));
}

TEST_F(GptqCheckpoint, IsRefusedWithAReasonWhereItCannotBeRead) {
    make(32);
    const auto q = [this]() -> Json& { return config["quantization_config"]; };
    EXPECT_THAT(refusalOf([&] { q()["checkpoint_format"] = "marlin"; }), HasSubstr("\"marlin\""));
    EXPECT_THAT(refusalOf([&] { q()["dynamic"] = {{"+:.*down.*", {{"bits", 8}}}}; }), HasSubstr("dynamic"));
    EXPECT_THAT(refusalOf([&] { q()["bits"] = 5; }), HasSubstr("5-bit"));
    EXPECT_THAT(refusalOf([&] { q()["bits"] = 3; }), HasSubstr("no 3-bit weight"));
    EXPECT_THAT(refusalOf([&] { q().erase("bits"); }), HasSubstr("bits"));
    EXPECT_THAT(refusalOf([&] { q()["group_size"] = 64; }), HasSubstr(linear));
    EXPECT_THAT(refusalOf([&] { std::erase_if(tensors, [&](const auto& t) { return t.first == linear + ".qzeros"; }); }), HasSubstr("qzeros is missing"));
    EXPECT_THAT(refusalOf([&] { tensor(linear + ".scales") = Tensor::f32({1}, {0}); }), HasSubstr("scales"));
    EXPECT_THAT(refusalOf([&] { tensor(linear + ".g_idx") = Tensor::i32({256}, std::vector<int32_t>(256, 1)); }), HasSubstr("g_idx"));
    EXPECT_THAT(refusalOf([&] {
                    q()["desc_act"] = true;
                    std::erase_if(tensors, [&](const auto& t) { return t.first == linear + ".g_idx"; });
                }), HasSubstr("g_idx is missing"));
}

}  // namespace
}  // namespace owq
