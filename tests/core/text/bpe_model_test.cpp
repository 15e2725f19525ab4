// SPDX-License-Identifier: Apache-2.0
#include "core/text/bpe_model.h"

#include <gmock/gmock.h>

#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

const BpeModel::Vocabulary kVocabulary{{"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}, {"bc", 4}, {"abc", 5}, {"aa", 6}};

std::vector<int32_t> merged(const BpeModel& model, std::vector<int32_t> symbols) {
    std::vector<int32_t> out;
    model.merge(symbols, out);
    return out;
}

TEST(BpeModel, BestRankFirstThenLeftmost) {
    const BpeModel model(kVocabulary, {{"b", "c"}, {"a", "b"}, {"a", "bc"}, {"a", "a"}}, "test");
    EXPECT_EQ(merged(model, {0, 1, 2}), (std::vector<int32_t>{5}));
    EXPECT_EQ(merged(model, {0, 1, 0}), (std::vector<int32_t>{3, 0}));
    EXPECT_EQ(merged(model, {0, 0, 0}), (std::vector<int32_t>{6, 0}));
    EXPECT_EQ(merged(model, {}), std::vector<int32_t>{});
    EXPECT_EQ(model.find("abc"), 5);
    EXPECT_EQ(model.find("cb"), -1);
}

TEST(BpeModel, LongWordsTakeNoQuadraticTime) {
    const BpeModel model(kVocabulary, {{"a", "a"}}, "test");
    EXPECT_EQ(merged(model, std::vector<int32_t>(1'000'000, 0)).size(), 500'000u);
}

TEST(BpeModel, RefusesDamage) {
    EXPECT_THAT(errorOf([] { BpeModel({}, {}, "w"); }), testing::HasSubstr("empty"));
    EXPECT_THAT(errorOf([] { BpeModel({{"a", 2'000'000'000}}, {}, "w"); }), testing::HasSubstr("2000000000"));
    EXPECT_THAT(errorOf([] { BpeModel({{"a", 0}, {"b", 0}}, {}, "w"); }), testing::HasSubstr("id 0"));
    EXPECT_THAT(errorOf([] { BpeModel({{"a", 0}, {"b", 1}}, {{"a", "b"}}, "w"); }), testing::HasSubstr("merge 1"));
}

}  // namespace
}  // namespace owq
