// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/damage_probe.h"

#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "core/evaluate/divergence.h"
#include "core/model/torch_tensor.h"
#include "core/quantize/quantize.h"
#include "tests/core/pipeline/sample_run.h"

namespace owq {
namespace {

using namespace owq::testing;

TEST(ProbeSize, IsAsLargeAsTheCalibrationWithinLimits) {
    const auto expect = [](ProbeSize size, int64_t windows, int64_t length) {
        EXPECT_EQ(size.windows, windows);
        EXPECT_EQ(size.length, length);
    };
    expect(probeSize(128, 2048, 224), 4, 256);  // LLaMA-7B in the paper's setting
    expect(probeSize(128, 512, 36), 7, 256);
    expect(probeSize(2, 2048, 560), 1, 256);
    expect(probeSize(128, 2048, 6), 16, 256);
    expect(probeSize(3, 64, 1), 3, 64);
    expect(probeSize(1, 16, 0), 1, 16);
}

class Probe : public ::testing::TestWithParam<const char*> {
protected:
    static at::Tensor dequantized(const QuantizedLinear& linear) {
        const std::vector<float> values = dequantize(linear);
        return at::from_blob(const_cast<float*>(values.data()), {linear.rows, linear.columns}, at::kFloat).clone();
    }

    /// Half of what 2-bit rounding does to it.
    at::Tensor changedWeight(const LinearInfo& linear) const {
        const at::Tensor weight = model.loadBlock(linear.block).linear(linear.name).weight();
        LinearRecipe recipe;
        recipe.method = Method::rtn;
        recipe.bits = 2;
        const std::vector<float> rounded =
            dequantize(quantizeLinear(weight.const_data_ptr<float>(), linear.rows, linear.columns, nullptr, recipe).weight);
        at::Tensor changed = weight.clone();
        for (int64_t i = 0; i < changed.numel(); ++i) changed.data_ptr<float>()[i] += (rounded[size_t(i)] - changed.data_ptr<float>()[i]) / 2;
        return changed;
    }

    static Block with(const Block& block, const std::string& linear, const at::Tensor& weight) {
        Block changed = block;
        changed.linear(linear).setWeight(weight.const_data_ptr<float>());
        return changed;
    }

    /// Logits of every token of the windows that a probe takes; `changed` may be null.
    std::vector<float> logits(const LinearInfo* changed) const {
        std::vector<float> all;
        for (int64_t w = 0; w < size.windows; ++w) {
            at::Tensor x = model.embed(idTensor(run.windows.window(w), 1, size.length));
            for (int b = 0; b < model.info().blocks; ++b) {
                const Block block = model.loadBlock(b);
                x = (changed && changed->block == b ? with(block, changed->name, changedWeight(*changed)) : block).forward(x);
            }
            const at::Tensor out = model.head(model.finalNorm(x)).contiguous();
            all.insert(all.end(), out.const_data_ptr<float>(), out.const_data_ptr<float>() + out.numel());
        }
        return all;
    }

    std::vector<double> probed(const std::vector<const LinearInfo*>& changes, const std::filesystem::path& scratch = {}) const {
        DamageProbe probe(model, run.windows, int64_t(changes.size()), scratch);
        for (int b = 0; b < model.info().blocks; ++b) {
            const Block block = model.loadBlock(b);
            for (const LinearInfo* l : changes)
                if (l && l->block == b) probe.begin(with(block, l->name, changedWeight(*l)), {});
            if (b == 0 && !changes.empty() && !changes.front()) probe.begin(block, {});
            probe.advance(block, {});
        }
        return probe.divergences({});
    }

    SampleRun run{GetParam(), Recipe{}, nullptr, 3, 48};
    LanguageModel model{run.model};
    ProbeSize size = probeSize(3, 48, 4);
};

TEST_P(Probe, GivesTheDivergenceOfEachChangedModel) {
    const std::vector<LinearInfo>& all = model.info().linears;
    const std::vector<const LinearInfo*> changes{&all[0], &all[3], &all[10], &all.back()};
    const std::vector<double> found = probed(changes);
    ASSERT_EQ(found.size(), changes.size());
    const std::vector<float> own = logits(nullptr);
    const int64_t vocabulary = model.info().vocabulary, tokens = size.tokens();
    for (size_t i = 0; i < changes.size(); ++i) {
        const std::vector<float> other = logits(changes[i]);
        double kl = 0;
        for (int64_t t = 0; t < tokens; ++t) kl += tokenDivergence(&own[size_t(t * vocabulary)], &other[size_t(t * vocabulary)], vocabulary, 0).kl;
        EXPECT_GT(kl, 0);
        EXPECT_NEAR(found[i], kl / double(tokens), 1e-3 * kl / double(tokens) + 1e-7) << changes[i]->name;
    }
    EXPECT_EQ(probed(changes, std::filesystem::temp_directory_path()), found) << "in a file";
}

TEST_P(Probe, NothingChangedIsNoDamage) {
    EXPECT_EQ(probed({nullptr}), std::vector<double>{0});
    EXPECT_TRUE(probed({}).empty());
}

TEST_P(Probe, StopsWhenAsked) {
    std::stop_source stop;
    stop.request_stop();
    DamageProbe probe(model, run.windows, 1);
    EXPECT_THROW(probe.advance(model.loadBlock(0), stop.get_token()), Cancelled);
}

// At the width that was tried the predicted loss is the measured one; the other widths follow by the diagonal.
TEST_P(Probe, PredictedLossesAreThoseOfTheLinearsAlone) {
    Recipe& recipe = run.input.recipe;
    recipe.allocation = "greedy";
    recipe.method = Method::optq;
    recipe.grid = "search";
    run.input.plan = planBudget(model.info(), recipe);
    const std::vector<LinearInfo>& all = model.info().linears;
    for (LinearBudget& b : run.input.plan.linears) b.locked = b.name != all[0].name && b.name != all[3].name;
    Progress progress([](const ProgressUpdate&) {});
    const std::vector<PredictedLoss> losses = predictLosses(run.input, progress, {});
    ASSERT_EQ(losses.size(), 2u) << "locked linears are not tried";

    // Linears of the first block get the original's inputs in a run, too.
    const MemorySink quantized = run.run();
    for (const PredictedLoss& loss : losses) {
        SCOPED_TRACE(loss.name);
        ASSERT_EQ(loss.columns.size(), 3u);
        const auto predicted = [&](int bits) { return std::accumulate(loss.columns.at(bits).begin(), loss.columns.at(bits).end(), 0.0); };
        DamageProbe probe(model, run.windows, 2);
        for (int b = 0; b < model.info().blocks; ++b) {
            const Block block = model.loadBlock(b);
            if (b == 0) probe.begin(with(block, loss.name, dequantized(quantized.outcomes.at(loss.name).weight)), {});
            probe.advance(block, {});
        }
        const double happens = probe.divergences({})[0];
        EXPECT_NEAR(predicted(3), happens, 1e-4 * happens);
        EXPECT_GT(predicted(2), predicted(3)) << "columns of small weights round to 0 at any width";
        EXPECT_GT(predicted(3), predicted(4));
        EXPECT_GT(predicted(4), 0);
    }
}

INSTANTIATE_TEST_SUITE_P(Samples, Probe, ::testing::Values("llama", "opt"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace owq
