// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/divergence.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/log_softmax.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/checkpoint/tensor_file.h"
#include "tests/core/evaluate/evaluation_windows.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

using namespace owq::testing;
using ::testing::HasSubstr;

/// A model whose norms are a bit too large, so that every prediction moves, and whose size may be given out wrongly.
struct Changed : ModelSource {
    explicit Changed(std::shared_ptr<const ModelSource> from) : source(std::move(from)), size(source->info()) {}
    ModelKind kind() const override { return source->kind(); }
    const ModelInfo& info() const override { return size; }
    const Json& config() const override { return source->config(); }
    std::filesystem::path tokenizerFolder() const override { return source->tokenizerFolder(); }
    bool has(const std::string& name) const override { return source->has(name); }
    Tensor tensor(const std::string& name) const override {
        const Tensor whole = source->tensor(name);
        if (!name.ends_with("norm.weight")) return whole;
        std::vector<float> values = whole.toFloat();
        for (float& value : values) value *= normFactor;
        return Tensor::f32(whole.shape, std::move(values));
    }
    bool quantized(const std::string& name) const override { return source->quantized(name); }
    QuantizedLinear linear(const std::string& name) const override { return source->linear(name); }

    std::shared_ptr<const ModelSource> source;
    ModelInfo size;
    float normFactor = 1.1f;
};

class Divergence : public ::testing::TestWithParam<const char*> {
protected:
    const std::shared_ptr<const ModelSource> source = ModelSource::open(sampleModel(GetParam()));
    const std::shared_ptr<Changed> model = std::make_shared<Changed>(source);
};

std::string messageOf(const std::shared_ptr<const ModelSource>& model, const std::shared_ptr<const ModelSource>& original,
                      const TokenWindows& windows) {
    try {
        divergence(model, {original}, windows);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

TEST_P(Divergence, FromItselfIsZero) {
    const DivergenceResult same = divergence(source, {source}, windows(GetParam(), "heldout", 3, 64));
    for (const double kl : same.windowKl) EXPECT_EQ(kl, 0);
    EXPECT_EQ(same.kl.mean, 0);
    EXPECT_EQ(same.rmsProbabilityChange, 0);
    for (const Quantile& q : same.klQuantiles) EXPECT_EQ(q.value, 0);
    EXPECT_EQ(same.top1Agreement, 1);
    EXPECT_EQ(same.logPerplexityDifference.mean, 0);
    EXPECT_EQ(same.logPerplexityDifference.standardError.value(), 0);
}

TEST_P(Divergence, OfDocumentsIsThatOfTheirTokens) {
    TokenWindows few = windows(GetParam(), "heldout", 3, 64);
    EXPECT_TRUE(divergence(model, {source}, few).documents.empty());
    // One document within a window, one over the border of two, one without a token, and one of which only the tail that no window has is left.
    few.documents = {0, 20, 64 + 30, 64 + 30, 3 * 64 + 5};
    const DivergenceResult got = divergence(model, {source}, few);
    ASSERT_EQ(got.documents.size(), 3u);
    // Each window's first token is not scored.
    EXPECT_EQ(got.documents[0].tokens, 19);
    EXPECT_EQ(got.documents[1].tokens, 44 + 29);
    EXPECT_EQ(got.documents[2].tokens, 34 + 63);
    EXPECT_EQ(got.documents[2].document, 3);
    double kl = 0, difference = 0, agreed = 0;
    for (const DocumentDivergence& d : got.documents) {
        kl += d.kl * double(d.tokens);
        difference += d.logPerplexityDifference * double(d.tokens);
        agreed += d.top1Agreement * double(d.tokens);
    }
    EXPECT_NEAR(kl / (3 * 63), got.kl.mean, 1e-12);
    EXPECT_NEAR(difference / (3 * 63), got.logPerplexityDifference.mean, 1e-5);
    EXPECT_NEAR(agreed / (3 * 63), got.top1Agreement, 1e-12);
    // A document that is one window.
    few.documents = {0, 64, 128};
    const DivergenceResult whole = divergence(model, {source}, few);
    for (size_t w = 0; w < 3; ++w) {
        EXPECT_NEAR(whole.documents[w].kl, whole.windowKl[w], 1e-12);
        EXPECT_NEAR(whole.documents[w].logPerplexityDifference, whole.model.windowNll[w] - whole.original.windowNll[w], 1e-5);
    }
}

TEST_P(Divergence, TakesAKeptOriginalForTheComputedOne) {
    const TemporaryFolder folder;
    const std::filesystem::path base = folder.path() / "base.safetensors";
    const TokenWindows few = windows(GetParam(), "heldout", 3, 64);
    const DivergenceResult plain = divergence(model, {source}, few), writing = divergence(model, {source, base, "it"}, few);
    EXPECT_EQ(writing.windowKl, plain.windowKl) << "what is written changes nothing";
    ASSERT_TRUE(std::filesystem::exists(base));
    EXPECT_EQ(openSafetensors(base)->read("distance").shape, (std::vector<int64_t>{3, 63, source->info().vocabulary}));
    const DivergenceResult read = divergence(model, {nullptr, base, {}}, few);
    EXPECT_EQ(read.model.windowNll, plain.model.windowNll);
    for (size_t w = 0; w < plain.windowKl.size(); ++w) {
        EXPECT_NEAR(read.windowKl[w] / plain.windowKl[w], 1, 1e-2) << "window " << w;
        EXPECT_NEAR(read.original.windowNll[w], plain.original.windowNll[w], 1e-3) << "window " << w;
    }
    EXPECT_NEAR(read.kl.mean / plain.kl.mean, 1, 2e-3);
    EXPECT_EQ(read.top1Agreement, plain.top1Agreement);
    EXPECT_NEAR(read.rmsProbabilityChange / plain.rmsProbabilityChange, 1, 1e-3);
    // A distance of x is off by at most 2^-11 x, so KL by about half the mean of that squared: 1e-7 x², with x² around 10 for what is likely.
    EXPECT_NEAR(divergence(source, {source, base, "it"}, few).kl.mean, 0, 1e-6);
}

TEST_P(Divergence, RefusesAKeptOriginalOfSomethingElse) {
    const TemporaryFolder folder;
    const std::filesystem::path base = folder.path() / "base.safetensors", task = folder.path() / "other.safetensors";
    const TokenWindows few = windows(GetParam(), "heldout", 2, 48);
    const auto message = [&](const Original& original, const TokenWindows& asked) -> std::string {
        try {
            divergence(model, original, asked);
        } catch (const Error& e) {
            return e.what();
        }
        return "no error";
    };
    EXPECT_THAT(message({nullptr, base, {}}, few), HasSubstr("no original to write it from"));
    divergence(model, {source, base, "it"}, few);
    EXPECT_THAT(message({nullptr, base, {}}, windows(GetParam(), "heldout", 3, 48)), HasSubstr("the comparison needs [3, 47"));
    EXPECT_THAT(message({nullptr, base, {}}, windows(GetParam(), "wikitext2", 2, 48)), HasSubstr("other tokens"));
    EXPECT_THAT(message({source, base, "another"}, few), HasSubstr("was written from it, not from another"));
    EXPECT_THAT(message({source, base, "it", "written anew"}, few), HasSubstr("before that model's files were changed"));
    EXPECT_EQ(message({source, base, "it", ""}, few), "no error");
    writeSafetensors(task, {{"a", Tensor::f32({1}, {1.f})}});
    EXPECT_THAT(message({nullptr, task, {}}, few), HasSubstr("is no file of an original's log-probabilities"));
}

TEST_P(Divergence, LeavesNoFileWhenItIsStopped) {
    const TemporaryFolder folder;
    const std::filesystem::path base = folder.path() / "base.safetensors";
    std::stop_source stop;
    const auto stopAtTheEnd = [&](double fraction, bool, int) {
        if (fraction > 0.8) stop.request_stop();
    };
    EXPECT_THROW(divergence(model, {source, base, "it"}, windows(GetParam(), "heldout", 3, 64), {}, stop.get_token(), stopAtTheEnd), Cancelled);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_P(Divergence, EqualsLogSoftmaxOfFullPassesHoweverItIsCut) {
    const TokenWindows few = windows(GetParam(), "heldout", 2, 48);
    const LanguageModel changed(model), original(source);
    std::vector<double> kl, difference, positions(47), changes;
    double agreed = 0;
    for (int64_t w = 0; w < 2; ++w) {
        const at::Tensor ids = idTensor(few.window(w), 1, 48);
        const auto logs = [&](const LanguageModel& m) {
            return m.forward(ids).select(0, 0).narrow(0, 0, 47).to(at::kDouble).log_softmax(1);
        };
        const at::Tensor p = logs(original), q = logs(changed), next = ids.narrow(1, 1, 47).t();
        const at::Tensor each = p.exp().mul(p.sub(q)).sum(1), change = q.gather(1, next).exp().sub(p.gather(1, next).exp());
        kl.push_back(each.mean().item().toDouble());
        for (int64_t t = 0; t < 47; ++t) {
            positions[size_t(t)] += each.select(0, t).item().toDouble() / 2;
            changes.push_back(change.select(0, t).item().toDouble());
        }
        difference.push_back(p.gather(1, next).sub(q.gather(1, next)).mean().item().toDouble());
        agreed += p.argmax(1).eq(q.argmax(1)).sum().item().toDouble();
    }
    EXPECT_GT(kl[0], 1e-4);
    EXPECT_LT(agreed, 2 * 47);
    for (const PerplexityOptions& options : {PerplexityOptions{}, PerplexityOptions{1, 1}}) {
        std::vector<double> fractions;
        bool originalSeen = false, modelSeen = false;
        const DivergenceResult got =
            divergence(model, {source}, few, options, {}, [&](double fraction, bool ofOriginal, int) {
                fractions.push_back(fraction);
                (ofOriginal ? originalSeen : modelSeen) = true;
            });
        ASSERT_EQ(got.windowKl.size(), 2u);
        for (size_t w = 0; w < 2; ++w) EXPECT_NEAR(got.windowKl[w], kl[w], 1e-6);
        EXPECT_NEAR(got.kl.mean, (kl[0] + kl[1]) / 2, 1e-6);
        EXPECT_NEAR(got.kl.standardError.value(), windowMean(kl).standardError.value(), 1e-6);
        EXPECT_NEAR(got.logPerplexityDifference.mean, windowMean(difference).mean, 1e-5);
        EXPECT_NEAR(got.logPerplexityDifference.standardError.value(), windowMean(difference).standardError.value(), 1e-5);
        EXPECT_NEAR(got.top1Agreement, agreed / (2 * 47), 1.0 / (2 * 47));  // one near tie may fall either way
        ASSERT_EQ(got.positionKl.size(), 47u);
        for (size_t t = 0; t < 47; ++t) EXPECT_NEAR(got.positionKl[t], positions[t], 1e-6);
        std::vector<double> sorted = changes;
        std::sort(sorted.begin(), sorted.end());
        EXPECT_NEAR(got.probabilityChange.front().value, sorted.front(), 1e-6);
        EXPECT_NEAR(got.probabilityChange[5].value, (sorted[46] + sorted[47]) / 2, 1e-6);  // the median of 94
        double squares = 0;
        for (const double c : changes) squares += c * c;
        EXPECT_NEAR(got.rmsProbabilityChange, std::sqrt(squares / 94), 1e-6);
        EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
        EXPECT_NEAR(fractions.back(), 1, 1e-12);
        EXPECT_TRUE(originalSeen && modelSeen);
    }
}

TEST_P(Divergence, PerplexitiesAreThoseOfEachModelAlone) {
    const TokenWindows few = windows(GetParam(), "wikitext2", 2, 64);
    const DivergenceResult got = divergence(model, {source}, few);
    EXPECT_EQ(got.model.windowNll, perplexity(model, few).windowNll);
    EXPECT_EQ(got.original.perplexity, perplexity(source, few).perplexity);
    EXPECT_NEAR(got.logPerplexityDifference.mean, std::log(got.model.perplexity / got.original.perplexity), 1e-12);
}

TEST_P(Divergence, RefusesWhatCannotBeComparedAndStops) {
    const TokenWindows one = windows(GetParam(), "heldout", 1, 64);
    model->size.maxPositions = 63;
    EXPECT_THAT(messageOf(source, model, one), HasSubstr("windows of 64 tokens are longer than the original's maximum of 63"));
    model->size.vocabulary += 8;
    EXPECT_THAT(messageOf(source, model, one), HasSubstr("vocabularies differ: the model has 4096 tokens, the original 4104"));
    EXPECT_THROW(divergence(source, {source}, TokenWindows{}), Error);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(divergence(source, {source}, one, {}, stop.get_token()), Cancelled);
}

TEST_P(Divergence, OutputsThatAreNotFiniteAreNamed) {
    model->normFactor = 1e30f;  // attention scores overflow
    const TokenWindows one = windows(GetParam(), "heldout", 1, 32);
    EXPECT_THAT(messageOf(model, source, one), HasSubstr("the model's outputs are not finite in window 0"));
    EXPECT_THAT(messageOf(source, model, one), HasSubstr("the original's outputs are not finite in window 0"));
}

INSTANTIATE_TEST_SUITE_P(Samples, Divergence, ::testing::Values("opt", "llama"),
                         [](const auto& info) { return std::string(info.param); });

TEST(TokenDivergence, IsTheSumOverTheVocabulary) {
    // p = (1/2, 1/4, 1/4), q = (1/4, 1/4, 1/2), each shifted by a constant of its own.
    const float p[] = {3 + std::log(2.f), 3, 3}, q[] = {-70, -70, -70 + std::log(2.f)};
    const TokenDivergence got = tokenDivergence(p, q, 3, 0);
    EXPECT_NEAR(got.kl, std::log(2.0) / 4, 1e-6);
    EXPECT_FALSE(got.sameTop);
    const float wide[] = {1000, -1000, 0}, flat[] = {0, 0, 0};
    EXPECT_NEAR(tokenDivergence(wide, flat, 3, 0).kl, std::log(3.0), 1e-12);
    EXPECT_NEAR(tokenDivergence(flat, wide, 3, 0).kl, 1000 - std::log(3.0), 1e-9);
}

TEST(Quantiles, LieBetweenNeighbours) {
    std::vector<float> values{4, 0, 1, 3, 2}, none;
    const std::vector<Quantile> q = quantiles(values);
    EXPECT_EQ(q.front().value, 0);
    EXPECT_EQ(q[5].share, 0.5);
    EXPECT_EQ(q[5].value, 2);
    EXPECT_NEAR(q[3].value, 0.2, 1e-12);  // a twentieth of four steps
    EXPECT_EQ(q.back().value, 4);
    EXPECT_TRUE(quantiles(none).empty());
}

TEST(TokenDivergence, OfEqualLogitsTheLowestIdIsTheTop) {
    const float tie[] = {1, 2, 2}, first[] = {0, 5, 4}, second[] = {0, 4, 5};
    EXPECT_TRUE(tokenDivergence(tie, first, 3, 0).sameTop);
    EXPECT_FALSE(tokenDivergence(tie, second, 3, 0).sameTop);
    EXPECT_TRUE(tokenDivergence(first, tie, 3, 0).sameTop);
}

TEST(TokenDivergence, RuledOutTokens) {
    const float none = -std::numeric_limits<float>::infinity();
    const float both[] = {0, 0, none}, all[] = {0, 0, 0};
    EXPECT_EQ(tokenDivergence(both, both, 3, 0).kl, 0);
    EXPECT_NEAR(tokenDivergence(both, all, 3, 0).kl, std::log(1.5), 1e-15);
    EXPECT_EQ(tokenDivergence(all, both, 3, 0).kl, std::numeric_limits<double>::infinity());
}

TEST(TokenDivergence, SmallOnesAreNotLostInRounding) {
    std::vector<float> p(4096), q(4096), shifted(4096);
    for (size_t i = 0; i < p.size(); ++i) {
        p[i] = float(std::sin(double(i)) * 8);
        q[i] = p[i] + float(std::cos(7.0 * double(i)) * 1e-4);
        shifted[i] = p[i] + 16;
    }
    // To second order KL is half the variance of the change under p.
    double sum = 0, mean = 0, square = 0;
    for (size_t i = 0; i < p.size(); ++i) {
        const double w = std::exp(double(p[i])), change = double(q[i]) - double(p[i]);
        sum += w, mean += w * change, square += w * change * change;
    }
    const double expected = (square / sum - mean / sum * (mean / sum)) / 2;
    EXPECT_NEAR(tokenDivergence(p.data(), q.data(), 4096, 0).kl / expected, 1, 1e-3);
    EXPECT_GT(tokenDivergence(p.data(), q.data(), 4096, 0).kl, 0);
    EXPECT_NEAR(tokenDivergence(p.data(), shifted.data(), 4096, 0).kl, 0, 1e-11);
}

TEST(WindowMean, StandardErrorIsThatOfIndependentWindows) {
    const WindowMean four = windowMean({1, 2, 3, 6});
    EXPECT_DOUBLE_EQ(four.mean, 3);
    EXPECT_DOUBLE_EQ(four.standardError.value(), std::sqrt((4.0 + 1 + 0 + 9) / 3 / 4));
    EXPECT_DOUBLE_EQ(windowMean({5}).mean, 5);
    EXPECT_FALSE(windowMean({5}).standardError.has_value());
}

}  // namespace
}  // namespace owq
