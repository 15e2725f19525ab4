// SPDX-License-Identifier: Apache-2.0
// The whole model's loss by its weak columns, in every family, against differences in fp64.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/base/error.h"
#include "core/evaluate/perplexity.h"
#include "core/tune/adam.h"
#include "core/tune/tuned_model.h"
#include "core/tune/tuner.h"
#include "tests/core/model/family_test_data.h"
#include "tests/core/model/model_test_data.h"
#include "tests/core/tune/rounded_source.h"

namespace owq {
namespace {

using namespace owq::testing;

TuningBatch batchOf(const std::vector<int32_t>& ids) {
    const size_t t = ids.size();
    // Two examples of different length, one of them scored in part.
    return makeBatch({{ids, 1}, {{ids.begin() + ptrdiff_t(t / 3), ids.end() - 3}, 5}}, {0, 1});
}

double norm(const std::vector<float>& v) {
    double sum = 0;
    for (const float x : v) sum += double(x) * double(x);
    return std::sqrt(sum);
}

double apart(std::vector<float> a, const std::vector<float>& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
    return norm(a) / norm(b);
}

std::vector<float> gradientOf(TunedModel& model, const TuningBatch& batch, double scale = 1) {
    std::vector<float> gradient(size_t(model.parameters()));
    model.lossAndGradient(batch, scale, gradient);
    return gradient;
}

class ModelGradient : public ::testing::TestWithParam<FamilyModel> {
protected:
    const std::shared_ptr<const ModelSource> source =
        std::make_shared<RoundedSource>(ModelSource::open(GetParam().folder()), RoundedFormat{.bits = 4});
    const TuningBatch batch = batchOf(GetParam().ids);
};

TEST_P(ModelGradient, AgreesWithDifferencesInDouble) {
    TunedModel model(source, {}, {.compute = at::kDouble});
    EXPECT_EQ(model.matrices().size(), model.model().info().linears.size());
    const std::vector<float> gradient = gradientOf(model, batch), start = model.weights();
    const double largest = double(*std::max_element(gradient.begin(), gradient.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    constexpr float step = 0x1p-20f;  // small, for a ReLU that changes sides within it shows in the slope
    std::mt19937 random(1);
    for (const WeakMatrix& m : model.matrices()) {
        const size_t at = size_t(m.first) + random() % size_t(m.count());
        const auto moved = [&](float steps) {
            std::vector<float> weights = start;
            weights[at] += steps * step;
            model.setWeights(weights);
            return model.loss(batch).nll;
        };
        const double slope = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * double(step));
        EXPECT_NEAR(double(gradient[at]), slope, 1e-6 * std::abs(largest)) << m.name;
    }
}

TEST_P(ModelGradient, InFloatPackedOrDenseIsThatInDoubleWithinRounding) {
    TunedModel exact(source, {}, {.compute = at::kDouble}), packed(source), dense(source, {}, {.arithmetic = Arithmetic::dense});
    const std::vector<float> expected = gradientOf(exact, batch);
    const double packedError = apart(gradientOf(packed, batch), expected), denseError = apart(gradientOf(dense, batch), expected);
    std::printf("%s: gradient off by %.1e packed, %.1e dense\n", GetParam().name.c_str(), packedError, denseError);
    EXPECT_LT(packedError, 2e-5);
    EXPECT_LT(denseError, 2e-5);
}

TEST_P(ModelGradient, TheBlockComputesAsInInference) {
    TunedModel model(source);
    gradientOf(model, batch);  // leaves the weak columns tracked
    const LanguageModel language(source, Arithmetic::exact);
    at::Tensor hidden = language.embed(idTensor(batch.ids.data(), batch.rows, batch.length));
    for (int b = 0; b < language.info().blocks; ++b) {
        Block block = language.loadBlock(b);
        for (const LinearInfo& info : block.linears())
            block.linear(info.name).trackWeakColumns(at::zeros({info.rows, 2}, at::kFloat).requires_grad_(true));
        const at::Tensor tracked = block.differentiable(hidden.clone().requires_grad_(true));
        const at::NoGradGuard guard;
        hidden = block.forward(hidden);
        EXPECT_TRUE(tracked.requires_grad());
        EXPECT_TRUE(tracked.equal(hidden)) << "block " << b << " off by " << distance(tracked, hidden);
    }
}

INSTANTIATE_TEST_SUITE_P(Families, ModelGradient, ::testing::ValuesIn(allFamilyModels()), [](const auto& info) { return info.param.name; });

class SampleGradient : public ::testing::TestWithParam<const char*> {
protected:
    std::vector<int32_t> ids(int count) const {
        std::vector<int32_t> out;
        for (int i = 0; i < count; ++i) out.push_back((i * 37 + i * i) % 900);
        return out;
    }
    std::shared_ptr<const ModelSource> source(RoundedFormat format) const {
        return std::make_shared<RoundedSource>(ModelSource::open(sampleModel(GetParam())), format);
    }
};

TEST_P(SampleGradient, InEveryFormat) {
    const TuningBatch batch = batchOf(ids(40));
    for (const RoundedFormat& format : {RoundedFormat{.bits = 2}, {.bits = 3, .groupSize = 64}, {.bits = 8, .symmetric = true}, {.bits = 3, .groupSize = 48}}) {
        TunedModel exact(source(format), {}, {.compute = at::kDouble}), packed(source(format));
        EXPECT_LT(apart(gradientOf(packed, batch), gradientOf(exact, batch)), 2e-5) << format.bits << " bits, groups of " << format.groupSize;
    }
}

TEST_P(SampleGradient, AStepOnThePackedModelIsOneOnTheDequantized) {
    TunedModel packed(source({.bits = 3})), dense(source({.bits = 3}), {}, {.arithmetic = Arithmetic::dense});
    const TuningBatch batch = batchOf(ids(60));
    std::vector<std::vector<float>> after;
    for (TunedModel* model : {&packed, &dense}) {
        AdamState state{model->original(), {}, {}};
        std::vector<float> gradient = gradientOf(*model, batch);
        // Where a gradient is nearly 0, its sign, all that a first step knows, is rounding: epsilon takes these away.
        adamStep(state, gradient, 1e-3, {.epsilon = 1e-2});
        model->setWeights(state.weights);
        after.push_back(model->weights());
    }
    for (size_t i = 0; i < after[0].size(); ++i) ASSERT_NEAR(after[0][i], after[1][i], 1e-6);
    EXPECT_NEAR(packed.loss(batch).nll, dense.loss(batch).nll, 1e-3);
}

TEST_P(SampleGradient, TheLossIsThatOfPerplexity) {
    const auto rounded = source({.bits = 3});
    const TunedModel model(rounded);
    for (const int length : {40, 200}) {
        const TokenWindows window{length, ids(length), {}};
        const double expected = perplexity(rounded, window, {.arithmetic = Arithmetic::exact}).nll;
        EXPECT_EQ(model.loss(makeBatch({{window.ids, 1}}, {0})).nll, expected);
    }
}

TEST_P(SampleGradient, GradientsAddUpAndScale) {
    TunedModel model(source({}));
    const TuningBatch a = batchOf(ids(30)), b = batchOf(ids(50));
    std::vector<float> sum = gradientOf(model, a, 0.25);
    model.lossAndGradient(b, 0.25, sum);
    const std::vector<float> first = gradientOf(model, a), second = gradientOf(model, b);
    for (size_t i = 0; i < sum.size(); ++i) ASSERT_NEAR(sum[i], 0.25f * (first[i] + second[i]), 1e-4f * (1 + std::abs(first[i]) + std::abs(second[i])));
    EXPECT_EQ(gradientOf(model, a), first) << "the same step gives the same bits";
}

TEST_P(SampleGradient, InputsKeptInSixteenBitsChangeItLittle) {
    TunedModel whole(source({})), half(source({}), {}, {.kept = at::kBFloat16});
    const TuningBatch batch = batchOf(ids(60));
    EXPECT_EQ(whole.loss(batch).nll, half.loss(batch).nll);
    const double error = apart(gradientOf(half, batch), gradientOf(whole, batch));
    EXPECT_GT(error, 0);
    EXPECT_LT(error, 0.02);
}

TEST_P(SampleGradient, InputSizesAreThoseOfTheInputs) {
    const auto rounded = source({.bits = 3, .weak = 3});
    TunedModel model(rounded);
    const std::vector<TuningBatch> batches{makeBatch({{ids(30), 1}}, {0}), makeBatch({{ids(50), 20}}, {0})};
    std::map<std::pair<int, std::string>, std::vector<double>> squares;  // of block and group, by column
    const LanguageModel language(rounded, Arithmetic::exact);
    const at::NoGradGuard guard;
    for (const TuningBatch& batch : batches) {
        at::Tensor hidden = language.embed(idTensor(batch.ids.data(), batch.rows, batch.length));
        for (int b = 0; b < language.info().blocks; ++b)
            hidden = language.loadBlock(b).forward(hidden, [&](const std::string& group, const at::Tensor& x) {
                std::vector<double>& sums = squares[{b, group}];
                sums.resize(size_t(x.size(1)));
                const at::Tensor flat = x.contiguous();
                for (int64_t i = 0; i < flat.numel(); ++i) sums[size_t(i % x.size(1))] += double(flat.const_data_ptr<float>()[i]) * double(flat.const_data_ptr<float>()[i]);
            });
    }
    const std::vector<float> sizes = model.inputSizes(batches);
    ASSERT_EQ(int64_t(sizes.size()), model.columns());
    auto size = sizes.begin();
    for (const WeakMatrix& m : model.matrices())
        for (const int32_t c : m.columns) {
            const double expected = std::sqrt(squares.at({m.block, m.inputGroup})[size_t(c)] / 80);
            EXPECT_NEAR(*size++, expected, 1e-6 * expected) << m.name << " column " << c;
        }
}

TEST_P(SampleGradient, AColumnsRateFallsWithItsInput) {
    const auto rounded = source({.bits = 3, .weak = 3});
    const TuningData data{{{ids(40), 1}, {ids(60), 1}}, {}}, none;
    TunedModel first(rounded);
    const TuningBatch batch = makeBatch(data.examples, {epochOrder(2, 0, 0).front()});
    const std::vector<float> gradient = gradientOf(first, batch, 1 / double(batch.targets.size()));
    for (const double exponent : {0.0, 0.5, 1.0}) {
        TunedModel model(rounded);
        Tuner tuner(model, data, none, {.epochs = 1, .learningRate = 1e-4, .rateExponent = exponent, .accumulate = 1, .warmUp = 0, .clip = 0});
        const TuningStep step = tuner.step({});
        EXPECT_EQ(tuner.state().inputSizes.empty(), exponent == 0);
        const std::vector<float> sizes = exponent == 0 ? std::vector<float>(size_t(model.columns()), 1.f) : tuner.state().inputSizes;
        size_t column = 0, moved = 0;
        for (const WeakMatrix& m : model.matrices()) {
            const size_t k = m.columns.size();
            for (int64_t i = 0; i < m.count(); ++i) {
                // A first step of AdamW is the rate, with the gradient's sign; where a gradient is nearly 0, as behind a ReLU that lets nothing through, less.
                const size_t at = size_t(m.first + i);
                const double way = std::abs(double(tuner.state().adam.weights[at]) - double(model.original()[at]));
                const double rate = step.learningRate * std::pow(double(sizes[column + size_t(i) % k]), -exponent);
                ASSERT_LE(way, rate * 1.001 + 1e-7) << m.name << " exponent " << exponent;
                if (std::abs(gradient[at]) < 1e-5f) continue;
                ASSERT_GE(way, rate * 0.99 - 1e-7) << m.name << " exponent " << exponent;
                ++moved;
            }
            column += k;
        }
        EXPECT_GT(double(moved), 0.5 * double(model.parameters())) << "exponent " << exponent;
    }
}

TEST_P(SampleGradient, AStopEndsAStep) {
    TunedModel model(source({}));
    std::stop_source stop;
    stop.request_stop();
    std::vector<float> gradient(size_t(model.parameters()));
    EXPECT_THROW(model.lossAndGradient(batchOf(ids(30)), 1, gradient, stop.get_token()), Cancelled);
    EXPECT_THROW(model.loss(batchOf(ids(30)), stop.get_token()), Cancelled);
}

TEST_P(SampleGradient, RefusesModelsWithoutWeakColumns) {
    EXPECT_THROW(TunedModel(ModelSource::open(sampleModel(GetParam()))), Error);
    EXPECT_THROW(TunedModel(source({.weak = 0})), Error);
}

INSTANTIATE_TEST_SUITE_P(Samples, SampleGradient, ::testing::Values("opt", "llama"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
