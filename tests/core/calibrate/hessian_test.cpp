// SPDX-License-Identifier: Apache-2.0
#include "core/calibrate/hessian.h"

#include <ATen/ops/randn.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "core/calibrate/block_runner.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

using namespace owq::testing;

/// Largest difference over the largest value.
double relative(const at::Tensor& a, const at::Tensor& b) {
    return distance(a, b) / b.abs().max().item().toDouble();
}

TEST(Hessian, EqualsTheProductInDoubleForAnyCut) {
    const at::Tensor x = at::randn({9000, 700}, at::TensorOptions(at::kFloat));
    const at::Tensor wide = x.to(at::kDouble);
    const at::Tensor expected = wide.t().matmul(wide).mul(2.0 / 6).to(at::kFloat);
    Hessian whole(700), cut(700);
    whole.add(x);
    for (int64_t first = 0; first < 9000; first += 1500) cut.add(x.narrow(0, first, 1500));
    EXPECT_EQ(whole.tokens(), 9000);
    for (Hessian* h : {&whole, &cut}) {
        const at::Tensor got = h->finish(6);
        EXPECT_EQ(distance(got, got.t()), 0) << "symmetric to the bit";
        EXPECT_LT(relative(got, expected), 2e-6);
    }
}

TEST(Hessian, RefusesAnotherWidth) {
    EXPECT_THROW(Hessian(8).add(at::randn({4, 9})), Error);
}

class Calibration : public ::testing::TestWithParam<const char*> {
protected:
    const LanguageModel model{ModelSource::open(sampleModel(GetParam()))};
    TokenWindows windows() const {
        const Tensor ids = golden(GetParam(), "calib.safetensors")->read("input_ids");
        TokenWindows out;
        out.length = ids.shape.at(1);
        for (int64_t id : ids.toInteger()) out.ids.push_back(int32_t(id));
        return out;
    }
};

TEST_P(Calibration, ActivationsInAFileAreTheSame) {
    TokenWindows few = windows();
    few.ids.resize(size_t(3 * few.length));
    const std::filesystem::path folder = std::filesystem::path(::testing::TempDir());
    BlockRunner inMemory(model, few), inFile(model, few, 0, folder);
    EXPECT_EQ(distance(inMemory.hidden(), inFile.hidden()), 0);
    const Block block = model.loadBlock(0);
    inMemory.advance(block);
    inFile.advance(block);
    EXPECT_EQ(distance(inMemory.hidden(), inFile.hidden()), 0);
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        EXPECT_EQ(entry.path().filename().string().find(".scratch"), std::string::npos) << "the file has no name";
}

TEST_P(Calibration, FirstBlockHessiansMatchTheReference) {
    BlockRunner runner(model, windows());
    const Block block = model.loadBlock(0);
    HessianSet set;
    runner.observe(block, [&](const std::string& group, const at::Tensor& x) { set.add(group, x); });
    const std::map<std::string, at::Tensor> hessians = set.finish(runner.windows());
    const auto file = golden(GetParam(), "hessian_block0.safetensors");
    ASSERT_FALSE(file->tensors().empty());
    for (const TensorInfo& tensor : file->tensors()) {
        const std::string linear = tensor.name.substr(0, tensor.name.size() - 2);  // without ".H"
        const LinearInfo* info = model.info().find(linear);
        ASSERT_NE(info, nullptr) << linear;
        const at::Tensor got = hessians.at(info->inputGroup),
                         expected = toFloatTensor(file->read(tensor.name));
        const double diagonal =
            got.diagonal().sub(expected.diagonal()).div(expected.diagonal()).abs().max().item().toDouble();
        RecordProperty(info->kind + "_diagonal", std::to_string(diagonal));
        EXPECT_LT(diagonal, 1e-4) << linear;
        EXPECT_LT(relative(got, expected), 1e-4) << linear;
    }
}

TEST_P(Calibration, BatchSizeDoesNotChangeWhatIsCarried) {
    TokenWindows few = windows();
    few.ids.resize(size_t(5 * few.length));
    BlockRunner one(model, few, 1), three(model, few, 3);
    const Block block = model.loadBlock(0);
    std::vector<double> fractions;
    one.advance(block);
    three.advance(block, {}, [&](double fraction) { fractions.push_back(fraction); });
    EXPECT_EQ(fractions, (std::vector<double>{0.6, 1.0}));
    EXPECT_LT(distance(one.hidden(), three.hidden()), 1e-4);
    EXPECT_LT(distance(one.hidden().narrow(0, 0, 1),
                       block.forward(model.embed(idTensor(few.window(0), 1, few.length)))),
              1e-4);

    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(one.advance(block, stop.get_token()), Cancelled);
    EXPECT_THROW(one.observe(block, {}, stop.get_token()), Cancelled);
}

INSTANTIATE_TEST_SUITE_P(Samples, Calibration, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
