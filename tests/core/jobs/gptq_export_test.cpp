// SPDX-License-Identifier: Apache-2.0
// A run exported as a GPTQ checkpoint, read back by the format's formula alone: w = scale * (code - zero).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/checkpoint/checkpoint.h"
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

}  // namespace
}  // namespace owq
