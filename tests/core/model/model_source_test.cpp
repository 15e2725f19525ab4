// SPDX-License-Identifier: Apache-2.0
#include "core/model/model_source.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/pack/layer_file.h"
#include "tests/core/device/emulated_cuda.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

using namespace owq::testing;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string refusal(const fs::path& path, const fs::path& modelFolder = {}) {
    try {
        ModelSource::open(path, modelFolder);
    } catch (const Error& error) {
        return error.what();
    }
    return "opened";
}

TEST(ModelSource, KnowsTheSampleModelsFromTheirHeaders) {
    const auto opt = ModelSource::open(sampleModel("opt")),
               llama = ModelSource::open(sampleModel("llama") / "model.safetensors");
    EXPECT_EQ(opt->kind(), ModelKind::checkpoint);
    EXPECT_EQ(opt->info().linears.size(), 36u);
    EXPECT_EQ(llama->info().linears.size(), 42u);
    EXPECT_EQ(opt->info().weakRatio, 0.25);
    EXPECT_EQ(llama->info().weakRatio, 0.375);
    EXPECT_TRUE(opt->info().tiedHead);
    EXPECT_FALSE(llama->info().tiedHead);
    const LinearInfo& fc2 = opt->info().linears.at(5);
    EXPECT_EQ(fc2.name, "model.decoder.layers.0.fc2");
    EXPECT_EQ(fc2.kind, "down");
    EXPECT_TRUE(fc2.feedForward && fc2.bias);
    EXPECT_EQ((std::vector{fc2.rows, fc2.columns}), (std::vector<int64_t>{256, 1024}));
    EXPECT_EQ(llama->info().find("model.layers.3.mlp.gate_proj")->inputGroup,
              llama->info().find("model.layers.3.mlp.up_proj")->inputGroup);
    EXPECT_NE(llama->info().find("model.layers.3.mlp.up_proj")->inputGroup,
              llama->info().find("model.layers.4.mlp.up_proj")->inputGroup);
    // Two tables of 4096 x 256, six blocks of 4 x 256² + 3 x 704 x 256 and two norms, one final norm.
    EXPECT_EQ(llama->info().parameters, 2 * 4096 * 256 + 6 * (4 * 65536 + 3 * 704 * 256 + 512) + 256);
    EXPECT_EQ(llama->info().bytes, uint64_t(2 * llama->info().parameters));
}

TEST(ModelSource, TellsKindsApartAndExplainsWhatIsNoModel) {
    EXPECT_EQ(identify(sampleModel("opt")), ModelKind::checkpoint);
    EXPECT_EQ(identify(fs::path(OWQ_TEST_DATA) / "reference/opt/owq3.05.pth"), ModelKind::pth);
    EXPECT_EQ(identify(fs::path(OWQ_TEST_DATA) / "reference/opt/calib.safetensors"), ModelKind::tensorFile);
    EXPECT_EQ(identify(fs::path(OWQ_TEST_DATA) / "README.md"), ModelKind::unknown);
    EXPECT_EQ(identify(fs::path(OWQ_TEST_DATA)), ModelKind::unknown);
    EXPECT_THAT(refusal("/nowhere/at/all"), HasSubstr("/nowhere/at/all"));
    EXPECT_THAT(refusal(fs::path(OWQ_TEST_DATA)), HasSubstr("not a model"));
    EXPECT_THAT(refusal(fs::path(OWQ_TEST_DATA) / "reference/opt/calib.safetensors"),
                HasSubstr("tensor file"));
    EXPECT_THAT(refusal(fs::path(OWQ_TEST_DATA) / "reference/opt/owq3.05.pth"), HasSubstr("--model"));
}

class Pth : public ::testing::TestWithParam<const char*> {};

TEST_P(Pth, ComputesTheSamePackedAndDense) {
    const fs::path file = fs::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth";
    const auto source = ModelSource::open(file, sampleModel(GetParam()));
    EXPECT_EQ(source->kind(), ModelKind::pth);
    EXPECT_EQ(source->info().parameters, ModelSource::open(sampleModel(GetParam()))->info().parameters);
    const LanguageModel model(source);
    const Block packed = LanguageModel(source, Arithmetic::exact).loadBlock(0), dense = model.loadBlock(0);
    const at::Tensor hidden = toFloatTensor(golden(GetParam(), "logits.safetensors")->read("hidden.0"));
    for (const LinearInfo& info : packed.linears()) {
        EXPECT_TRUE(source->quantized(info.name));
        EXPECT_TRUE(packed.linear(info.name).isPacked());
        EXPECT_LT(distance(packed.linear(info.name).weight(), dense.linear(info.name).weight()), 1e-6);
    }
    EXPECT_LT(distance(packed.forward(hidden), dense.forward(hidden)), 1e-4) << "dequantized tiles";
    const at::Tensor few = hidden.narrow(0, 0, 1).narrow(1, 0, 7);
    EXPECT_LT(distance(packed.forward(few), dense.forward(few)), 1e-4) << "packed kernel";
}
TEST_P(Pth, ComputesTheSameOnAGpu) {
    const auto source = ModelSource::open(fs::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth", sampleModel(GetParam()));
    const LanguageModel host(source, Arithmetic::exact), gpu(source, Arithmetic::exact, emulatedDevice());
    const Block block = gpu.loadBlock(0, gpu.device());
    for (const LinearInfo& info : block.linears()) {
        const Linear& linear = block.linear(info.name);
        EXPECT_TRUE(linear.isPacked() && linear.isPlaced());
        EXPECT_EQ(distance(linear.weight(), host.loadBlock(0).linear(info.name).weight()), 0);
    }
    for (int64_t tokens : {9, 70}) {  // the packed product, and dequantized rows
        const at::Tensor some = ids(golden(GetParam(), "calib.safetensors")->read("input_ids")).flatten().slice(0, 0, tokens).unsqueeze(0);
        const at::Tensor expected = host.forward(some);
        EXPECT_LT(distance(gpu.forward(some), expected), 1e-5 * expected.abs().max().item().toDouble());
    }
}

INSTANTIATE_TEST_SUITE_P(Samples, Pth, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

class Run : public ::testing::Test {
protected:
    void SetUp() override {
        folder = fs::temp_directory_path() / ("owq_run_" + std::to_string(::getpid()));
        fs::create_directories(folder / "layers");
        const auto model = ModelSource::open(sampleModel("llama"));
        Json linears = Json::array();
        for (const char* kind : {"q", "down"})
            for (const LinearInfo& info : model->info().linears)
                if (info.block == 1 && info.kind == kind) {
                    const std::vector<float> weight = model->tensor(info.name + ".weight").toFloat();
                    LinearRecipe recipe;
                    recipe.method = Method::rtn;
                    outcomes[info.name] =
                        quantizeLinear(weight.data(), info.rows, info.columns, nullptr, recipe);
                    linears.push_back(info.name);
                }
        recipe = {{"model", "/no/longer/there"},
                  {"model_relative", fs::relative(sampleModel("llama"), folder).string()},
                  {"model_files",
                   {{"config.json", sha256File(sampleModel("llama") / "config.json")},
                    {"model.safetensors", fs::file_size(sampleModel("llama") / "model.safetensors")}}},
                  {"linears", linears}};
        writeJson(folder / "recipe.json", recipe);
    }
    void TearDown() override { fs::remove_all(folder); }
    void finish() {
        for (const auto& [name, outcome] : outcomes)
            writeLayerFile(folder / "layers" / (name + ".safetensors"), name, outcome, DType::f16);
    }
    fs::path folder;
    std::map<std::string, LinearOutcome> outcomes;
    Json recipe;
};

TEST_F(Run, ReadsQuantizedLinearsFromTheRunAndTheRestFromTheModel) {
    finish();
    EXPECT_EQ(identify(folder), ModelKind::run);
    const auto source = ModelSource::open(folder);
    EXPECT_EQ(source->kind(), ModelKind::run);
    const std::string down = "model.layers.1.mlp.down_proj";
    EXPECT_TRUE(source->quantized(down));
    EXPECT_FALSE(source->quantized("model.layers.0.mlp.down_proj"));
    EXPECT_FALSE(source->has(down + ".weight"));
    EXPECT_TRUE(source->has("model.layers.0.mlp.down_proj.weight"));
    const Block block = LanguageModel(source).loadBlock(1);
    const std::vector<float> expected = dequantize(outcomes.at(down).weight);
    const at::Tensor weight = block.linear(down).weight();
    EXPECT_EQ(std::vector<float>(weight.data_ptr<float>(), weight.data_ptr<float>() + weight.numel()),
              expected);
}

TEST_F(Run, RefusesAnUnfinishedOneAndSaysHowToResume) {
    finish();
    fs::remove(folder / "layers" / "model.layers.1.mlp.down_proj.safetensors");
    EXPECT_THAT(refusal(folder), ::testing::AllOf(HasSubstr("1 of 2 linears"), HasSubstr("--resume")));
}

TEST_F(Run, RefusesAModelThatHasChanged) {
    finish();
    recipe["model_files"]["config.json"] = std::string(64, '0');
    writeJson(folder / "recipe.json", recipe);
    EXPECT_THAT(refusal(folder), HasSubstr("changed"));
    recipe["model_files"] = {{"model.safetensors", 12}};
    writeJson(folder / "recipe.json", recipe);
    EXPECT_THAT(refusal(folder), HasSubstr("changed"));
    recipe.erase("model_files");
    recipe["model_relative"] = "nowhere";
    writeJson(folder / "recipe.json", recipe);
    EXPECT_THAT(refusal(folder), HasSubstr("/no/longer/there"));
}

}  // namespace
}  // namespace owq
