// SPDX-License-Identifier: Apache-2.0
// Keys and values kept in 16 bits against those kept in 32.
#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/core/model/family_test_data.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

using namespace owq::testing;

/// Root mean square of a - b over that of b's spread: logits may have any mean.
double relativeDistance(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor spread = b.sub(b.mean(-1, true));
    return std::sqrt(a.sub(b).square().mean().item<double>() / spread.square().mean().item<double>());
}

/// A model that reads a text piece by piece.
struct Reader {
    Reader(const std::shared_ptr<const ModelSource>& source, Arithmetic arithmetic) : model(source, arithmetic) {
        for (int b = 0; b < model.info().blocks; ++b) blocks.push_back(model.loadBlock(b));
    }
    void start(bool halves) {
        KeyValueCache empty;
        empty.halves = halves;
        caches.assign(blocks.size(), empty);
    }
    /// Logits [t, vocabulary] of the tokens that follow.
    at::Tensor read(const int32_t* ids, int64_t count) {
        at::Tensor hidden = model.embed(idTensor(ids, 1, count), caches.front().length);
        for (size_t b = 0; b < blocks.size(); ++b) hidden = blocks[b].forward(hidden, {}, &caches[b]);
        return model.head(model.finalNorm(hidden)).select(0, 0);
    }
    /// The text in pieces, some of one token, some of several behind others.
    at::Tensor readAll(const std::vector<int32_t>& ids, const std::vector<int64_t>& pieces, bool halves) {
        start(halves);
        std::vector<at::Tensor> logits;
        int64_t first = 0;
        for (size_t i = 0; first < int64_t(ids.size()); ++i) {
            const int64_t count = std::min(pieces[i % pieces.size()], int64_t(ids.size()) - first);
            logits.push_back(read(ids.data() + first, count));
            first += count;
        }
        return at::cat(logits);
    }
    /// And how far the likeliest token was before the second one, each time.
    std::vector<int32_t> greedy(const std::vector<int32_t>& prompt, int tokens, bool halves, std::vector<double>* lead = nullptr) {
        start(halves);
        std::vector<int32_t> text;
        at::Tensor logits = read(prompt.data(), int64_t(prompt.size()));
        while (int(text.size()) < tokens) {
            const at::Tensor last = logits.select(0, logits.size(0) - 1), best = std::get<0>(last.topk(2));
            if (lead) lead->push_back(best.select(0, 0).sub(best.select(0, 1)).item<double>());
            text.push_back(int32_t(last.argmax().item().toLong()));
            logits = read(&text.back(), 1);
        }
        return text;
    }
    LanguageModel model;
    std::vector<Block> blocks;
    std::vector<KeyValueCache> caches;
};

/// Mean Kullback-Leibler divergence of the predictions of a from those of b, nats.
double divergence(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor p = b.to(at::kDouble).log_softmax(1), q = a.to(at::kDouble).log_softmax(1);
    return p.exp().mul(p.sub(q)).sum(1).mean().item<double>();
}

// A number of the cache is off by a relative 2^-11 at most. How much of it reaches the logits is the model's own matter: scores of
// attention are sums of large products (of these models the logits move by up to 1.2e-3 of their spread). The predictions may differ by no more
// than rounding the inputs of products to two 8-bit numbers may.
constexpr double kSamePredictions = 1e-5;
const double kRounding = std::ldexp(1.0, -11);

class FamilyCache : public ::testing::TestWithParam<FamilyModel> {};

TEST_P(FamilyCache, SixteenBitsStayWithinTheirRounding) {
    Reader reader(ModelSource::open(GetParam().folder()), Arithmetic::exact);
    const std::vector<int64_t> pieces{9, 1, 1, 12, 1, 16};
    const at::Tensor floats = reader.readAll(GetParam().ids, pieces, false);
    uint64_t bytes = 0;
    for (const KeyValueCache& cache : reader.caches) bytes += cache.bytes();
    const at::Tensor halves = reader.readAll(GetParam().ids, pieces, true);
    for (const KeyValueCache& cache : reader.caches) {
        EXPECT_TRUE(cache.halves);
        EXPECT_EQ(cache.length, int64_t(GetParam().ids.size()));
        bytes -= 2 * cache.bytes();
    }
    EXPECT_EQ(bytes, 0u) << "half the memory";
    EXPECT_GT(relativeDistance(halves, floats), 0) << "they are not the same computation";
    EXPECT_LT(divergence(halves, floats), kSamePredictions) << relativeDistance(halves, floats);
}

INSTANTIATE_TEST_SUITE_P(Recorded, FamilyCache, ::testing::ValuesIn(allFamilyModels()), [](const auto& info) { return info.param.name; });

class SampleCache : public ::testing::TestWithParam<const char*> {
protected:
    Reader reader{ModelSource::open(std::filesystem::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth", sampleModel(GetParam())),
                  Arithmetic::doubleInt8};
    std::vector<int32_t> text(int64_t first, int64_t count) {
        const std::vector<int64_t> all = golden(GetParam(), "eval.safetensors")->read("heldout").toInteger();
        return {all.begin() + first, all.begin() + first + count};
    }
};

TEST_P(SampleCache, APackedModelPredictsTheSame) {
    const std::vector<int32_t> ids = text(0, 400);
    const std::vector<int64_t> pieces{150, 1, 49, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const at::Tensor floats = reader.readAll(ids, pieces, false), halves = reader.readAll(ids, pieces, true);
    const int64_t same = halves.argmax(1).eq(floats.argmax(1)).sum().item().toLong();
    EXPECT_LT(divergence(halves, floats), kSamePredictions) << relativeDistance(halves, floats);
    // The likeliest token may only change where two are as close as the logits are off.
    const at::Tensor best = std::get<0>(floats.topk(2, 1)), off = halves.sub(floats).abs().amax(1);
    const at::Tensor sure = best.select(1, 0).sub(best.select(1, 1)).gt(off.mul(2));
    EXPECT_TRUE(halves.argmax(1).eq(floats.argmax(1)).logical_or(sure.logical_not()).all().item<bool>());
    EXPECT_GE(same, int64_t(ids.size()) * 99 / 100);
}

TEST_P(SampleCache, GreedyTextIsTheSame) {
    for (const int64_t first : {0, 1000, 2000, 3000}) {
        std::vector<double> lead;
        const std::vector<int32_t> prompt = text(first, 40), floats = reader.greedy(prompt, 100, false, &lead), halves = reader.greedy(prompt, 100, true);
        const auto at = size_t(std::mismatch(floats.begin(), floats.end(), halves.begin()).first - floats.begin());
        // Another processor's last bits may turn a tie, and all that follows.
        EXPECT_LT(at < floats.size() ? lead[at] : 0, 0.01) << first << ", token " << at;
    }
}

TEST_P(SampleCache, BelongsToRoundedInputs) {
    const auto source = ModelSource::open(sampleModel(GetParam()));
    EXPECT_TRUE(LanguageModel(source, Arithmetic::doubleInt8).newCache().halves);
    EXPECT_TRUE(LanguageModel(source, Arithmetic::int8).newCache().halves);
    EXPECT_FALSE(LanguageModel(source, Arithmetic::exact).newCache().halves) << "the text of packed weights is that of dequantized ones";
    EXPECT_FALSE(LanguageModel(source, Arithmetic::dense).newCache().halves);
}

/// Values of 1e6 and more in one block: it goes over to fp32 and computes as if it had never been otherwise; the others stay.
TEST_P(SampleCache, ABlockBeyondTheRangeGoesOverToFloats) {
    Block& block = reader.blocks[1];
    const std::string name = std::find_if(block.linears().begin(), block.linears().end(), [](const LinearInfo& l) { return l.kind == "v"; })->name;
    const at::Tensor large = block.linear(name).weight().mul(1e7);
    block.setWeight(name, large.const_data_ptr<float>());
    const std::vector<int32_t> ids = text(0, 60);
    const at::Tensor halves = reader.readAll(ids, {30, 1, 1, 8}, true);
    for (size_t b = 0; b < reader.caches.size(); ++b) {
        EXPECT_EQ(reader.caches[b].halves, b != 1);
        EXPECT_EQ(reader.caches[b].value.scalar_type(), b == 1 ? at::kFloat : at::kHalf);
    }
    EXPECT_GT(reader.caches[1].value.narrow(2, 0, 60).abs().max().item<float>(), 65504);
    EXPECT_TRUE(at::isfinite(halves).all().item<bool>());
    EXPECT_LT(relativeDistance(halves, reader.readAll(ids, {30, 1, 1, 8}, false)), kRounding);
}

INSTANTIATE_TEST_SUITE_P(Samples, SampleCache, ::testing::Values("opt", "llama"), [](const auto& info) { return std::string(info.param); });

/// Attention of 40 tokens, all of them unremarkable but what `change` does to one; pieces of 7, 1, 1, … tokens.
class GoingOver : public ::testing::Test {
protected:
    static constexpr int64_t kTokens = 40, kHeads = 4, kKeyHeads = 2, kSize = 24;
    at::Tensor query = at::randn({1, kTokens, kHeads, kSize}), key = at::randn({1, kTokens, kKeyHeads, kSize}), value = at::randn({1, kTokens, kKeyHeads, kSize});
    std::vector<at::Tensor> outputs(KeyValueCache& cache, const AttentionRule& rule = {}) {
        std::vector<at::Tensor> all;
        for (int64_t first = 0, count; first < kTokens; first += count) {
            count = std::min<int64_t>(first % 8 == 0 ? 7 : 1, kTokens - first);
            all.push_back(causalAttention(query.narrow(1, first, count), key.narrow(1, first, count), value.narrow(1, first, count), &cache, true, rule));
        }
        return all;
    }
};

// Keys and values are rounded, and nothing else is.
TEST_F(GoingOver, WithoutItTheResultsAreThoseOfRoundedKeysAndValues) {
    KeyValueCache halves, floats;
    halves.halves = true;
    const at::Tensor got = at::cat(outputs(halves), 1);
    key = key.to(at::kHalf).to(at::kFloat);
    value = value.to(at::kHalf).to(at::kFloat);
    EXPECT_LT(relativeDistance(got, at::cat(outputs(floats), 1)), 1e-6);
}

TEST_F(GoingOver, HappensAtTheFirstNumberThatDoesNotFit) {
    for (const float number : {65504.f, -65504.f, 65505.f, -7e4f, 1e30f, INFINITY, NAN})
        for (const int64_t token : {0, 3, 15, 20, 39})  // the first piece, one of several tokens, one of one, the last
            for (at::Tensor* changed : {&key, &value}) {
                const at::Tensor before = changed->clone();
                changed->select(1, token).select(1, 1).select(1, 5).fill_(number);
                KeyValueCache halves, floats;
                halves.halves = true;
                const auto got = outputs(halves), expected = outputs(floats);
                const bool fits = std::abs(number) <= 65504;
                EXPECT_EQ(halves.halves, fits) << number << " at " << token;
                EXPECT_EQ(halves.key.scalar_type(), fits ? at::kHalf : at::kFloat);
                EXPECT_EQ(halves.value.scalar_type(), fits ? at::kHalf : at::kFloat);
                for (size_t i = 0; i < got.size(); ++i)
                    EXPECT_TRUE(at::isfinite(got[i]).equal(at::isfinite(expected[i]))) << number << " at " << token << ", piece " << i;
                if (!fits && token == 0) {
                    EXPECT_TRUE(at::cat(got, 1).nan_to_num().equal(at::cat(expected, 1).nan_to_num())) << "nothing was rounded before";
                }
                *changed = before;
            }
}

TEST_F(GoingOver, TheBiasesOfAlibiKeepTheirBits) {
    AttentionRule rule;
    const std::vector<float> slopes{0.9f, 0.3f, 40.f, 0.01f};
    rule.slopes = at::tensor(slopes);
    for (const bool scaled : {false, true}) {
        rule.alibiScaledBf16 = scaled;
        for (const float steep : {1.f, 1000.f}) {  // a slope of 40000 a position leaves fp16 at the second
            rule.slopes = at::tensor(slopes).mul(steep);
            KeyValueCache halves, floats;
            halves.halves = true;
            const at::Tensor got = at::cat(outputs(halves, rule), 1), expected = at::cat(outputs(floats, rule), 1);
            EXPECT_EQ(halves.halves, steep == 1) << scaled;
            EXPECT_LT(relativeDistance(got, expected), kRounding) << scaled << ", " << steep;
        }
    }
}

}  // namespace
}  // namespace owq
