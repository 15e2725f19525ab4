// SPDX-License-Identifier: Apache-2.0
#include "core/text/unigram_model.h"

#include <gmock/gmock.h>

#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

using Ids = std::vector<int32_t>;
const UnigramModel::Vocabulary kVocabulary{{"<unk>", 0}, {"a", -1}, {"b", -1.5}, {"ab", -1.2}, {"<0xC3>", -5}, {"<0xA9>", -5}};

Ids encoded(const UnigramModel& model, std::string_view word) {
    Ids ids;
    model.encode(word, ids);
    return ids;
}

TEST(UnigramModel, TheLargestSumOfScoresWins) {
    const UnigramModel model(kVocabulary, 0, false, "test");
    EXPECT_EQ(encoded(model, "abab"), (Ids{3, 3}));
    EXPECT_EQ(encoded(model, "ba"), (Ids{2, 1}));
    EXPECT_EQ(encoded(model, ""), Ids{});
    EXPECT_EQ(encoded(UnigramModel({{"a", -1}, {"b", -1}, {"ab", -3}}, -1, false, "test"), "ab"), (Ids{0, 1}));
}

TEST(UnigramModel, UnknownCharacters) {
    EXPECT_EQ(encoded(UnigramModel(kVocabulary, 0, false, "test"), "axyzb"), (Ids{1, 0, 2}));  // neighbours are one
    EXPECT_EQ(encoded(UnigramModel(kVocabulary, 0, true, "test"), "a\xc3\xa9"), (Ids{1, 4, 5}));
    EXPECT_EQ(encoded(UnigramModel(kVocabulary, 0, true, "test"), "ax"), (Ids{1, 0}));
    EXPECT_THAT(errorOf([] { encoded(UnigramModel(kVocabulary, -1, false, "w"), "ax"); }), testing::HasSubstr("\"x\""));
}

TEST(UnigramModel, LongWordsTakeNoQuadraticTime) {
    EXPECT_EQ(encoded(UnigramModel(kVocabulary, 0, false, "test"), std::string(1'000'000, 'a')).size(), 1'000'000u);
}

TEST(UnigramModel, RefusesDamage) {
    EXPECT_THAT(errorOf([] { UnigramModel({}, 0, false, "w"); }), testing::HasSubstr("empty"));
    EXPECT_THAT(errorOf([] { UnigramModel({{"a", 0}}, 1, false, "w"); }), testing::HasSubstr("unk_id 1"));
}

}  // namespace
}  // namespace owq
