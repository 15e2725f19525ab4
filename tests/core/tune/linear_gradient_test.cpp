// SPDX-License-Identifier: Apache-2.0
// Gradients of one packed linear, in every format, against finite differences in fp64.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/gradient.h"
#include "core/model/linear.h"
#include "tests/core/model/family_test_data.h"
#include "tests/core/model/model_test_data.h"
#include "tests/core/tune/rounded_source.h"

namespace owq {
namespace {

using namespace owq::testing;

std::shared_ptr<const ModelSource> rounded(RoundedFormat format) {
    return std::make_shared<RoundedSource>(ModelSource::open(sampleModel("opt")), format);
}

struct Case {
    RoundedFormat format;
    Arithmetic arithmetic = Arithmetic::exact;
    const char* kind = "fc2";
};

class LinearGradient : public ::testing::TestWithParam<Case> {
protected:
    const std::shared_ptr<const ModelSource> source = rounded(GetParam().format);
    const std::string name = std::string("model.decoder.layers.1.") + GetParam().kind;
    Linear linear = Linear::load(*source, name, GetParam().arithmetic);
    const QuantizedLinear quantized = source->linear(name);
};

at::Tensor leaf(const at::Tensor& x) { return x.clone().requires_grad_(true); }

/// ½ Σ y², whose differences are exact but for rounding.
double energy(const Linear& linear, const at::Tensor& x) {
    return linear.forward(x).to(at::kDouble).square().sum().item<double>() / 2;
}

TEST_P(LinearGradient, AgreesWithDifferencesInDouble) {
    const at::Tensor x = at::randn({2, 9, linear.columns()}, at::kDouble);
    const int64_t k = int64_t(quantized.weakColumns.size());
    const at::Tensor in = leaf(x), weak = leaf(at::zeros({linear.rows(), k}, at::kDouble));
    linear.trackWeakColumns(weak);
    const at::Tensor y = linear.forward(in);
    const auto found = gradients(y, {in, weak}, y.detach());
    const double scale = found[0].abs().max().item<double>(), weakScale = found[1].abs().max().item<double>(), step = 0x1p-6;
    for (const auto& [row, token, column] : {std::tuple(0, 0, 0), {1, 8, int(linear.columns() - 1)}, {0, 3, quantized.weakColumns[0]}, {1, 5, 40}}) {
        const auto moved = [&](double by) {
            at::Tensor there = x.clone();
            there[row][token][column].add_(by);
            return energy(linear, there);
        };
        EXPECT_NEAR(found[0][row][token][column].item<double>(), (moved(step) - moved(-step)) / (2 * step), 1e-7 * scale);
    }
    for (const auto& [row, j] : {std::pair<int64_t, int64_t>(0, 0), {linear.rows() - 1, k - 1}, {linear.rows() / 2, k / 2}}) {
        const auto moved = [&](float by) {
            std::vector<float> weights = quantized.weakWeight;
            weights[size_t(row * k + j)] += by;
            linear.setWeakWeight(weights.data());
            return energy(linear, x);
        };
        EXPECT_NEAR(found[1][row][j].item<double>(), (moved(float(step)) - moved(-float(step))) / (2 * step), 1e-7 * weakScale);
    }
}

TEST_P(LinearGradient, InFloatIsThatInDoubleWithinRounding) {
    for (const int64_t tokens : {3, 40}) {  // few are multiplied as they lie, many by widened rows
        const at::Tensor x = at::randn({1, tokens, linear.columns()}, at::kFloat), dy = at::randn({1, tokens, linear.rows()}, at::kFloat);
        std::vector<std::vector<at::Tensor>> found;
        for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
            const at::Tensor in = leaf(x.to(type)), weak = leaf(at::zeros({linear.rows(), int64_t(quantized.weakColumns.size())}, type));
            linear.trackWeakColumns(weak);
            found.push_back(gradients(linear.forward(in), {in, weak}, dy.to(type)));
        }
        for (size_t i : {0u, 1u}) EXPECT_LT(distance(found[0][i].to(at::kDouble), found[1][i]), 2e-6 * found[1][i].abs().max().item<double>());
    }
}

TEST_P(LinearGradient, TheForwardPassIsThatOfInferenceBitForBit) {
    linear.trackWeakColumns(leaf(at::zeros({linear.rows(), int64_t(quantized.weakColumns.size())}, at::kFloat)));
    for (const int64_t tokens : {1, 16, 17, 130}) {
        const at::Tensor x = at::randn({1, tokens, linear.columns()}, at::kFloat);
        const at::Tensor y = linear.forward(leaf(x));
        EXPECT_TRUE(y.requires_grad());
        const at::NoGradGuard guard;
        EXPECT_TRUE(y.equal(linear.forward(x)));
    }
}

TEST_P(LinearGradient, NewWeakWeightsChangeNothingElse) {
    const Linear copy = linear;
    const at::Tensor before = linear.weight();
    std::vector<float> weights = quantized.weakWeight;
    for (float& w : weights) w = -w + 1;
    linear.setWeakWeight(weights.data());
    at::Tensor expected = before.clone();
    for (size_t j = 0; j < quantized.weakColumns.size(); ++j) expected.select(1, quantized.weakColumns[j]).neg_().add_(1);
    EXPECT_TRUE(linear.weight().equal(expected));
    EXPECT_TRUE(copy.weight().equal(before)) << "a copy keeps its own";
}

INSTANTIATE_TEST_SUITE_P(Formats, LinearGradient,
                         ::testing::Values(Case{{.bits = 2}}, Case{{.bits = 3, .weak = 8}}, Case{{.bits = 4}}, Case{{.bits = 8}},
                                           Case{{.bits = 3, .groupSize = 64}}, Case{{.bits = 4, .groupSize = 32, .symmetric = true, .weak = 5}},
                                           Case{{.bits = 3, .groupSize = 48}},  // no whole vectors: held dense
                                           Case{{.bits = 3}, Arithmetic::dense}, Case{{.bits = 3}, Arithmetic::exact, "self_attn.q_proj"}));

TEST(LinearGradientOfDenseWeights, ReachesTheInput) {
    const auto source = ModelSource::open(sampleModel("llama"));
    const std::string name = "model.layers.0.mlp.down_proj";
    for (const Arithmetic arithmetic : {Arithmetic::exact, Arithmetic::dense}) {
        const Linear linear = Linear::load(*source, name, arithmetic);
        const at::Tensor in = leaf(at::randn({5, linear.columns()}, at::kFloat)), dy = at::randn({5, linear.rows()}, at::kFloat);
        const at::Tensor found = gradients(linear.forward(in), {in}, dy).front();
        EXPECT_LT(distance(found, dy.mm(linear.weight())), 1e-5);
        EXPECT_TRUE(linear.weakColumns().empty());
    }
}

TEST(LinearGradientStop, EndsTheProductsOfAStoppedStep) {
    Linear linear = Linear::load(*rounded({}), "model.decoder.layers.0.fc1", Arithmetic::exact);
    std::stop_source stop;
    const at::Tensor weak = leaf(at::zeros({linear.rows(), 2}, at::kFloat));
    linear.trackWeakColumns(weak, stop.get_token());
    const at::Tensor y = linear.forward(leaf(at::randn({4, linear.columns()}, at::kFloat)));
    stop.request_stop();
    EXPECT_THROW(gradients(y, {weak}, y.detach()), Cancelled);
    EXPECT_THROW(linear.forward(leaf(at::randn({4, linear.columns()}, at::kFloat))), Cancelled);
}

}  // namespace
}  // namespace owq
