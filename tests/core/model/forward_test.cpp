// SPDX-License-Identifier: Apache-2.0
// The forward pass of the sample models against the reference's, block by block.
#include <gmock/gmock.h>

#include <map>

#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

using namespace owq::testing;

class Forward : public ::testing::TestWithParam<const char*> {
protected:
    const LanguageModel model{ModelSource::open(sampleModel(GetParam()))};
    const std::shared_ptr<const TensorFile> file = golden(GetParam(), "logits.safetensors");
    const at::Tensor input = ids(file->read("input_ids"));
    at::Tensor expected(const std::string& name) const { return toFloatTensor(file->read(name)); }
};

TEST_P(Forward, MatchesReferenceHiddenStatesAndLogits) {
    at::Tensor hidden = model.embed(input);
    EXPECT_LT(distance(hidden, expected("hidden.0")), 1e-6);
    for (int b = 0; b < model.info().blocks; ++b) {
        hidden = model.loadBlock(b).forward(hidden);
        if (b < 2) {
            EXPECT_LT(distance(hidden, expected("hidden." + std::to_string(b + 1))), 2e-4)
                << "after block " << b;
        }
    }
    hidden = model.finalNorm(hidden);
    EXPECT_LT(distance(hidden, expected("hidden.6")), 2e-4);
    const double d = distance(model.head(hidden), expected("logits"));
    RecordProperty("logits_max_difference", std::to_string(d));
    EXPECT_LT(d, 1e-3);
}

TEST_P(Forward, ObserverSeesEachSharedInputOnceAndItsProductIsTheLinears) {
    Block block = model.loadBlock(1);
    const at::Tensor hidden = expected("hidden.1");
    std::map<std::string, at::Tensor> inputs;
    std::vector<std::string> order;
    const InputObserver observe = [&](const std::string& group, const at::Tensor& x) {
        EXPECT_EQ(x.dim(), 2);
        EXPECT_EQ(x.size(0), hidden.size(0) * hidden.size(1));
        EXPECT_TRUE(x.is_contiguous());
        order.push_back(group);
        inputs[group] = x.clone();
    };
    const at::Tensor out = block.forward(hidden, observe);
    EXPECT_EQ(distance(out, block.forward(hidden)), 0);

    std::vector<std::string> groups;
    for (const LinearInfo& linear : block.linears()) {
        if (groups.empty() || groups.back() != linear.inputGroup) groups.push_back(linear.inputGroup);
        EXPECT_EQ(inputs.at(linear.inputGroup).size(1), linear.columns) << linear.name;
    }
    EXPECT_EQ(order, groups);

    order.clear();
    block.observe(hidden, observe);
    EXPECT_EQ(order, groups);
    order.clear();
    block.observe(hidden, observe, groups[1]);
    EXPECT_EQ(order, (std::vector<std::string>{groups[0], groups[1]}));
}

TEST_P(Forward, AReplacedWeightIsTheOneComputedWith) {
    Block block = model.loadBlock(0);
    const at::Tensor hidden = expected("hidden.0");
    const std::string name = block.linears().back().name;
    const at::Tensor original = block.linear(name).weight().clone();
    const std::vector<float> zeros(size_t(original.numel()), 0.0f);
    block.setWeight(name, zeros.data());
    EXPECT_GT(distance(block.forward(hidden), expected("hidden.1")), 1e-2);
    block.setWeight(name, original.data_ptr<float>());
    EXPECT_LT(distance(block.forward(hidden), expected("hidden.1")), 2e-4);
    EXPECT_THROW(block.linear("model.layers.9.nothing"), Error);
}

TEST_P(Forward, CachedTokensEqualAFullPass) {
    const Block block = model.loadBlock(2);
    const at::Tensor hidden = expected("hidden.2"), whole = block.forward(hidden);
    KeyValueCache cache;
    std::vector<at::Tensor> parts;
    int64_t first = 0;
    for (const int64_t count : {40, 1, 1, 22}) {
        const at::Tensor part = block.forward(hidden.narrow(1, first, count), {}, &cache);
        EXPECT_LT(distance(part, whole.narrow(1, first, count)), 1e-4) << "tokens from " << first;
        first += count;
    }
    EXPECT_EQ(cache.length, 64);
}

TEST_P(Forward, RefusesIdsAndPositionsOutOfRange) {
    EXPECT_THROW(model.embed(input.add(model.info().vocabulary)), Error);
    EXPECT_THROW(model.embed(input.sub(5000)), Error);
    EXPECT_THROW(model.embed(input, model.info().maxPositions - 63), Error);
}

INSTANTIATE_TEST_SUITE_P(Samples, Forward, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
