// SPDX-License-Identifier: Apache-2.0
#include "core/text/regex.h"

#include <gmock/gmock.h>

#include "core/text/pre_tokenizer.h"
#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

std::vector<std::string> pieces(const Regex& regex, std::string_view text) {
    std::vector<std::string> result;
    regex.split(text, [&](std::string_view piece, bool) { result.emplace_back(piece); });
    return result;
}

TEST(Regex, CutsAsGpt2Does) {
    const Regex regex(gpt2Pattern(), "test");
    EXPECT_EQ(pieces(regex, "I'm  here, 12x"),
              (std::vector<std::string>{"I", "'m", " ", " here", ",", " 12", "x"}));
    EXPECT_EQ(pieces(regex, "a\xc2\xa0 b\xc2\x85"), (std::vector<std::string>{"a", "\xc2\xa0", " b", "\xc2\x85"}));
    // U+180E is a space to PCRE2, but not in Unicode's White_Space.
    EXPECT_EQ(pieces(regex, "a \xe1\xa0\x8e"), (std::vector<std::string>{"a", " \xe1\xa0\x8e"}));
}

TEST(Regex, GivesWhatLiesBetweenMatches) {
    EXPECT_EQ(pieces(Regex("b+", "test"), "abbcb"), (std::vector<std::string>{"a", "bb", "c", "b"}));
    EXPECT_EQ(pieces(Regex("x*", "test"), "a\xc3\xa9x"), (std::vector<std::string>{"a\xc3\xa9", "x"}));
    EXPECT_TRUE(pieces(Regex("a", "test"), "").empty());
}

TEST(Regex, ClassesInClassesAreJoined) {
    EXPECT_EQ(pieces(Regex(" ?[^(\\s|[.,!])]+", "test"), "ab, c(d"), (std::vector<std::string>{"ab", ",", " c", "(", "d"}));
    EXPECT_EQ(pieces(Regex("[[:digit:]]+|[]a]", "test"), "x12]a"), (std::vector<std::string>{"x", "12", "]", "a"}));
    EXPECT_THAT(errorOf([] { Regex("[a-z&&[^b]]", "where"); }), testing::HasSubstr("subtracted or intersected"));
}

TEST(Regex, LongRunsNeedNoStack) {
    const std::string letters(3'000'000, 'a'), spaces(300'000, ' ');
    EXPECT_EQ(pieces(Regex(gpt2Pattern(), "test"), letters).size(), 1u);
    EXPECT_EQ(pieces(Regex(gpt2Pattern(), "test"), spaces + "x").size(), 2u);
}

TEST(Regex, BadAndEndlessPatternsAreErrors) {
    EXPECT_THAT(errorOf([] { Regex("a(", "tokenizer.json"); }), testing::HasSubstr("tokenizer.json"));
    const Regex slow("(a+)+$", "slow");
    const std::string text = std::string(40, 'a') + "!";
    EXPECT_THAT(errorOf([&] { pieces(slow, text); }), testing::HasSubstr("slow"));
}

}  // namespace
}  // namespace owq
