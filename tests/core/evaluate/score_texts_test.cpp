// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/score_texts.h"

#include <ATen/ops/argmax.h>
#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

using namespace owq::testing;
using ::testing::HasSubstr;

std::shared_ptr<const ModelSource> model(const std::string& family) { return ModelSource::open(sampleModel(family)); }

/// The whole text in one pass, log-softmax in doubles.
TextScore scoredAlone(const std::shared_ptr<const ModelSource>& source, const ScoredText& text) {
    const LanguageModel whole(source);
    const int64_t inputs = int64_t(text.ids.size()) - 1;
    const at::Tensor logits = whole.forward(idTensor(text.ids.data(), 1, inputs)).select(0, 0).contiguous();
    TextScore score{0, true};
    for (int64_t t = inputs - text.scored; t < inputs; ++t) {
        const float* row = logits.const_data_ptr<float>() + t * logits.size(1);
        double sum = 0;
        for (int64_t v = 0; v < logits.size(1); ++v) sum += std::exp(double(row[v]));
        const int32_t next = text.ids[size_t(t + 1)];
        score.logLikelihood += double(row[next]) - std::log(sum);
        score.greedy &= std::max_element(row, row + logits.size(1)) - row == next;
    }
    return score;
}

/// Texts that share beginnings in every way: none, some, all of the shorter one, all.
std::vector<ScoredText> mixedTexts(int64_t vocabulary) {
    std::mt19937 random(3);
    const auto ids = [&](int count) {
        std::vector<int32_t> out;
        for (int i = 0; i < count; ++i) out.push_back(int32_t(random() % uint64_t(vocabulary)));
        return out;
    };
    const auto joined = [](std::vector<int32_t> a, const std::vector<int32_t>& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    };
    const std::vector<int32_t> shots = ids(70), question = joined(shots, ids(9)), answer = ids(4);
    std::vector<ScoredText> texts;
    for (int i = 0; i < 3; ++i) texts.push_back({joined(question, ids(2 + i)), 2 + i});
    texts.push_back({joined(question, answer), 4});
    texts.push_back({joined(question, {answer[0]}), 1});  // ends inside another text
    texts.push_back({joined(question, answer), 4});       // twice
    texts.push_back({joined(shots, ids(5)), 5});
    texts.push_back({ids(2), 1});
    texts.push_back({ids(30), 12});
    texts.push_back({joined(question, answer), 12});      // the same text, scored from earlier on
    return texts;
}

class ScoreTexts : public ::testing::TestWithParam<std::tuple<const char*, uint64_t>> {};

TEST_P(ScoreTexts, AreThoseOfEachTextAlone) {
    const auto source = model(std::get<0>(GetParam()));
    const std::vector<ScoredText> texts = mixedTexts(source->info().vocabulary);
    PerplexityOptions options;
    options.activationBytes = std::get<1>(GetParam());
    double last = 0;
    const std::vector<TextScore> scores = scoreTexts(source, texts, options, {}, [&](double fraction, int) {
        EXPECT_GE(fraction, last);
        EXPECT_LE(fraction, 1 + 1e-9);
        last = fraction;
    });
    ASSERT_EQ(scores.size(), texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
        const TextScore alone = scoredAlone(source, texts[i]);
        EXPECT_NEAR(scores[i].logLikelihood, alone.logLikelihood, 2e-4) << i;
        EXPECT_EQ(scores[i].greedy, alone.greedy) << i;
    }
    EXPECT_EQ(scores[3].logLikelihood, scores[5].logLikelihood);
}

// All at once, a few at a time, one by one.
INSTANTIATE_TEST_SUITE_P(Models, ScoreTexts,
                         ::testing::Combine(::testing::Values("opt", "llama"), ::testing::Values(uint64_t(1) << 30, uint64_t(100) << 10, uint64_t(1))),
                         [](const auto& info) {
                             return std::string(std::get<0>(info.param)) + std::to_string(std::get<1>(info.param));
                         });

TEST(ScoreTexts, FindsTheModelsOwnWordsGreedy) {
    const auto source = model("llama");
    const LanguageModel whole(source);
    std::vector<int32_t> ids{1, 200, 311};
    for (int i = 0; i < 3; ++i)
        ids.push_back(int32_t(at::argmax(whole.forward(idTensor(ids.data(), 1, int64_t(ids.size()))).select(0, 0).select(0, int64_t(ids.size()) - 1)).item<int64_t>()));
    const std::vector<TextScore> own = scoreTexts(source, {{ids, 3}});
    EXPECT_TRUE(own[0].greedy);
    ids.back() = ids.back() == 5 ? 6 : 5;
    EXPECT_FALSE(scoreTexts(source, {{ids, 3}})[0].greedy);
}

TEST(ScoreTexts, StopsWhenAsked) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(scoreTexts(model("opt"), {{{1, 2, 3}, 1}}, {}, stop.get_token()), Cancelled);
}

TEST(ScoredTextOf, SplitsTheTokensOfTheWhole) {
    const auto tokenizer = openTokenizer(sampleModel("llama"));
    const EncodeOptions plain{.addSpecial = false};
    const ScoredText text = scoredText(*tokenizer, "He went into the", " house", 1000);
    EXPECT_EQ(text.ids, tokenizer->encode("He went into the house", plain));
    EXPECT_EQ(text.scored, int64_t(text.ids.size() - tokenizer->encode("He went into the", plain).size()));
    const ScoredText blank = scoredText(*tokenizer, "He went into the ", "house", 1000);  // the blank moves over
    EXPECT_EQ(blank.ids, text.ids);
    EXPECT_EQ(blank.scored, text.scored);
    const ScoredText alone = scoredText(*tokenizer, "", "house", 1000);
    EXPECT_EQ(alone.ids[0], tokenizer->eos());
    EXPECT_EQ(alone.scored, int64_t(alone.ids.size()) - 1);
}

TEST(ScoredTextOf, KeepsTheEndOfWhatIsTooLong) {
    const auto tokenizer = openTokenizer(sampleModel("llama"));
    const ScoredText whole = scoredText(*tokenizer, "He went into the old house by the", " sea", 1000);
    const ScoredText cut = scoredText(*tokenizer, "He went into the old house by the", " sea", 4);
    EXPECT_EQ(cut.ids, std::vector<int32_t>(whole.ids.end() - 5, whole.ids.end()));
    EXPECT_EQ(cut.scored, whole.scored);
    EXPECT_THROW(scoredText(*tokenizer, "He", " went into the old house by the sea", 4), Error);
    EXPECT_THROW(scoredText(*tokenizer, "He", "", 4), Error);
}

}  // namespace
}  // namespace owq
