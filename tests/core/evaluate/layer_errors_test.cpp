// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/layer_errors.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <gmock/gmock.h>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "tests/core/evaluate/evaluation_windows.h"

namespace owq {
namespace {

using namespace owq::testing;

at::Tensor matrix(const std::vector<float>& values, int64_t rows, int64_t columns) {
    return at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::TensorOptions(at::kFloat)).to(at::kDouble);
}

class LayerErrors : public ::testing::TestWithParam<const char*> {
protected:
    const std::string family = GetParam();
    const std::shared_ptr<const ModelSource> original = ModelSource::open(sampleModel(family));
    const std::shared_ptr<const ModelSource> packed =
        ModelSource::open(std::filesystem::path(OWQ_TEST_DATA) / "reference" / family / "owq3.05.pth", sampleModel(family));
    const TokenWindows few = windows(family, "heldout", 3, 64);
};

TEST_P(LayerErrors, OfAModelAgainstItselfAreZero) {
    for (const LayerError& e : layerErrors(original, original, few)) {
        EXPECT_EQ(e.local.relative, 0) << e.name;
        EXPECT_EQ(e.felt.relative, 0) << e.name;
        EXPECT_NEAR(e.felt.cosine, 1, 1e-12) << e.name;
    }
}

TEST_P(LayerErrors, AreThoseOfProductsInDoubles) {
    const std::vector<LayerError> errors = layerErrors(packed, original, few);
    const LanguageModel first(original), second(packed);
    const Block block = first.loadBlock(0);
    std::map<std::string, at::Tensor> inputs;
    std::vector<int32_t> ids(few.ids);
    block.observe(first.embed(idTensor(ids.data(), few.count(), few.length)), [&](const std::string& group, const at::Tensor& x) { inputs[group] = x.to(at::kDouble); });
    size_t at = 0;
    for (const LinearInfo& l : block.linears()) {
        const LayerError& e = errors[at++];
        EXPECT_EQ(e.name, l.name);
        const at::Tensor w0 = matrix(original->tensor(l.name + ".weight").toFloat(), l.rows, l.columns), w = matrix(dequantize(packed->linear(l.name)), l.rows, l.columns);
        const at::Tensor x = inputs.at(l.inputGroup);
        at::Tensor y0 = at::matmul(x, w0.t()), y = at::matmul(x, w.t());
        if (l.bias) {
            const at::Tensor bias = matrix(original->tensor(l.name + ".bias").toFloat(), 1, l.rows);
            y0 = y0.add(bias);
            y = y.add(bias);
        }
        const double relative = y.sub(y0).square().sum().item<double>() / y0.square().sum().item<double>();
        const double cosine = y.mul(y0).sum().item<double>() / (y.norm().item<double>() * y0.norm().item<double>());
        EXPECT_NEAR(e.local.relative / relative, 1, 1e-4) << l.name;
        EXPECT_NEAR(e.local.cosine, cosine, 1e-6) << l.name;
        if (l.inputGroup == block.linears()[0].inputGroup) {  // nothing stands before them
            EXPECT_EQ(e.felt.relative, e.local.relative) << l.name;
        }
    }
    // What enters a block is felt behind it together with what came before.
    const int blocks = original->info().blocks;
    ASSERT_EQ(errors.size(), original->info().linears.size() + size_t(blocks));
    EXPECT_EQ(errors[at].name, "block 1");
    EXPECT_EQ(errors[at].felt.relative, errors[at].local.relative);
    EXPECT_GT(errors.back().felt.relative, errors.back().local.relative);
    EXPECT_LT(errors.back().felt.cosine, 1);
}

TEST_P(LayerErrors, AreOfAllWindowsAndStopWhenAsked) {
    const std::vector<LayerError> all = layerErrors(packed, original, few);
    const TokenWindows one = windows(family, "heldout", 1, 64);
    EXPECT_NE(layerErrors(packed, original, one).back().felt.relative, all.back().felt.relative);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(layerErrors(packed, original, few, stop.get_token()), Cancelled);
}

TEST_P(LayerErrors, OfDifferentModelsAreRefused) {
    EXPECT_THROW(layerErrors(ModelSource::open(sampleModel(family == "opt" ? "llama" : "opt")), original, few), Error);
}

INSTANTIATE_TEST_SUITE_P(Models, LayerErrors, ::testing::Values("opt", "llama"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
