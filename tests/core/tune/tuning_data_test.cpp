// SPDX-License-Identifier: Apache-2.0
#include "core/tune/tuning_data.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/text/corpus.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TuningDataTest : public ::testing::TestWithParam<const char*> {
protected:
    std::filesystem::path write(const std::string& name, const std::string& text) {
        std::ofstream(folder / name) << text;
        return folder / name;
    }
    TuningData read(const std::string& name, const std::string& text, int64_t length = 64) {
        return readTuningData(write(name, text), *tokenizer, length, tokenizer->size());
    }
    std::string refusal(const std::string& name, const std::string& text) {
        try {
            read(name, text);
        } catch (const Error& error) {
            return error.what();
        }
        return {};
    }
    TemporaryFolder folder;
    const std::shared_ptr<const Tokenizer> tokenizer = openTokenizer(std::filesystem::path(OWQ_SAMPLE) / (std::string("sample-") + GetParam()));
};

TEST_P(TuningDataTest, ATextIsCutAsPerplexityIsMeasured) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "It was a dark and stormy night. ";
    const TuningData data = read("text.txt", text, 32);
    const std::vector<int32_t> ids = evaluationTokens(folder / "text.txt", Protocol::plain, *tokenizer, 32);
    const TokenWindows windows = evaluationWindows(ids, 32, 0, tokenizer->size());
    ASSERT_GE(int64_t(data.examples.size()), windows.count());
    for (int64_t w = 0; w < windows.count(); ++w) {
        EXPECT_EQ(data.examples[size_t(w)].ids, std::vector<int32_t>(windows.window(w), windows.window(w) + 32));
        EXPECT_EQ(data.examples[size_t(w)].scored(), 31);
    }
    const int64_t rest = int64_t(ids.size()) % 32;
    EXPECT_EQ(int64_t(data.examples.size()), windows.count() + (rest > 1));
    if (rest > 1) {
        EXPECT_EQ(int64_t(data.examples.back().ids.size()), rest);
    }
}

TEST_P(TuningDataTest, OfAPairOnlyTheResponseAndTheEndAreScored) {
    const std::string prompt = "Question: who wrote it?\nAnswer:", response = " Mary Shelley wrote it.";
    const TuningData data = read("pairs.jsonl", Json{{"prompt", prompt}, {"response", response}}.dump() + "\n");
    ASSERT_EQ(data.examples.size(), 1u);
    const TuningExample& e = data.examples[0];
    std::vector<int32_t> before(e.ids.begin(), e.ids.begin() + e.first), scored(e.ids.begin() + e.first, e.ids.end());
    EXPECT_EQ(tokenizer->decode(before, true), tokenizer->decode(tokenizer->encode(prompt), true));
    EXPECT_EQ(scored.back(), tokenizer->eos());
    EXPECT_EQ(tokenizer->decode(e.ids, true), tokenizer->decode(tokenizer->encode(prompt + response), true));
}

TEST_P(TuningDataTest, CutsAndLeavesOutWithAWord) {
    std::string longText;
    for (int i = 0; i < 60; ++i) longText += " and then";
    const TuningData data = read("pairs.jsonl", Json{{"prompt", longText}, {"response", " no."}}.dump() + "\n\n" +
                                                    Json{{"prompt", "He said"}, {"response", longText}}.dump() + "\n" +
                                                    Json{{"text", "It was night."}}.dump());
    ASSERT_EQ(data.examples.size(), 2u);
    EXPECT_EQ(data.examples[0].ids.size(), 64u);
    EXPECT_THAT(data.warnings, ElementsAre(HasSubstr("1 examples are left out"), HasSubstr("1 responses are cut")));
}

TEST_P(TuningDataTest, RefusesWhatCannotBeTunedOn) {
    EXPECT_THAT(refusal("a.txt", ""), HasSubstr("not a single token"));
    EXPECT_THAT(refusal("a.jsonl", ""), HasSubstr("not a single token"));
    EXPECT_THAT(refusal("a.jsonl", "{\"text\": \"one\"}\n{\"question\": 1}\n"), HasSubstr("line 2"));
    EXPECT_THAT(refusal("a.jsonl", "{\"prompt\": \"one\"}\n"), HasSubstr("response"));
    EXPECT_THAT(refusal("a.jsonl", "{\"prompt\": \"one\", \"response\": 3}\n"), HasSubstr("response"));
    EXPECT_THAT(refusal("a.jsonl", "{\"text\": \n"), HasSubstr("line 1"));
    EXPECT_THAT(refusal("a.txt", "\xff\xfe"), HasSubstr("UTF-8"));
    EXPECT_THROW(readTuningData(folder / "none.txt", *tokenizer, 64, 4096), Error);
    EXPECT_THROW(readTuningData(write("b.txt", "some words here"), *tokenizer, 64, 3), Error) << "ids beyond the vocabulary";
}

INSTANTIATE_TEST_SUITE_P(Samples, TuningDataTest, ::testing::Values("opt", "llama"), [](const auto& info) { return std::string(info.param); });

TuningData numbered(int count) {
    TuningData data;
    for (int i = 0; i < count; ++i) data.examples.push_back({{i, i + 1, i + 2}, 1});
    return data;
}

TEST(TuningSplit, PartsTheExamplesByTheSeed) {
    TuningData data = numbered(40), same = numbered(40), other = numbered(40);
    const TuningData held = splitValidation(data, 0.1, 5), again = splitValidation(same, 0.1, 5), else_ = splitValidation(other, 0.1, 6);
    EXPECT_EQ(held.examples.size(), 4u);
    EXPECT_EQ(data.examples.size(), 36u);
    std::set<int32_t> first, second;
    for (const TuningData* part : {&held, static_cast<const TuningData*>(&data)})
        for (const TuningExample& e : part->examples) first.insert(e.ids[0]);
    EXPECT_EQ(first.size(), 40u) << "each is in one of the two";
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(held.examples[i].ids, again.examples[i].ids);
    for (const TuningExample& e : else_.examples) second.insert(e.ids[0]);
    EXPECT_FALSE(std::all_of(held.examples.begin(), held.examples.end(), [&](const TuningExample& e) { return second.contains(e.ids[0]); }));
    TuningData one = numbered(1), two = numbered(2);
    EXPECT_TRUE(splitValidation(one, 0.5, 0).examples.empty());
    EXPECT_EQ(splitValidation(two, 0.9, 0).examples.size(), 1u) << "something is left to tune on";
}

TEST(TuningOrder, EveryExampleOnceAndAnotherOrderEachEpoch) {
    std::vector<int64_t> a = epochOrder(50, 3, 0), b = epochOrder(50, 3, 1);
    EXPECT_EQ(a, epochOrder(50, 3, 0));
    EXPECT_NE(a, b);
    EXPECT_NE(a, epochOrder(50, 4, 0));
    std::sort(a.begin(), a.end());
    for (int64_t i = 0; i < 50; ++i) EXPECT_EQ(a[size_t(i)], i);
}

TEST(TuningBatches, FillUpAndPointAtWhatIsScored) {
    const TuningBatch batch = makeBatch({{{1, 2, 3, 4}, 1}, {{5, 6}, 1}, {{7, 8, 9}, 2}}, {0, 2, 1});
    EXPECT_EQ(batch.rows, 3);
    EXPECT_EQ(batch.length, 4);
    EXPECT_THAT(batch.ids, ElementsAre(1, 2, 3, 4, 7, 8, 9, 0, 5, 6, 0, 0));
    EXPECT_THAT(batch.positions, ElementsAre(0, 1, 2, 5, 8));
    EXPECT_THAT(batch.targets, ElementsAre(2, 3, 4, 9, 6));
}

}  // namespace
}  // namespace owq
