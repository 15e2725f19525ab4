// SPDX-License-Identifier: Apache-2.0
#include "core/text/utf8.h"

#include <gmock/gmock.h>

#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

TEST(Utf8, FindsTheFirstIllFormedByte) {
    EXPECT_EQ(invalidUtf8("plain"), std::string::npos);
    EXPECT_EQ(invalidUtf8("\xc3\xa9 \xe3\x80\x80 \xf0\x9f\x98\x80 \xef\xbf\xbf"), std::string::npos);
    EXPECT_EQ(invalidUtf8("ab\xff"), 2u);
    EXPECT_EQ(invalidUtf8("\xc3"), 0u);                  // cut
    EXPECT_EQ(invalidUtf8("a\xed\xa0\x80"), 1u);         // surrogate
    EXPECT_EQ(invalidUtf8("\xc0\xaf"), 0u);              // overlong
    EXPECT_EQ(invalidUtf8("\xf4\x90\x80\x80"), 0u);      // above U+10FFFF
    EXPECT_EQ(invalidUtf8("a\xe2(\xa1"), 1u);
}

TEST(Utf8, ErrorNamesThePosition) {
    EXPECT_THAT(errorOf([] { requireUtf8("ab\xff", "file.txt"); }),
                testing::AllOf(testing::HasSubstr("byte 2"), testing::HasSubstr("file.txt")));
}

TEST(Utf8, ReplacesMaximalParts) {
    EXPECT_EQ(replaceInvalidUtf8("a\xf0\x9f\x98"), "a\xef\xbf\xbd");
    EXPECT_EQ(replaceInvalidUtf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(replaceInvalidUtf8("\xc3\xa9"), "\xc3\xa9");
}

TEST(Utf8, KnowsUnicodeSpaces) {
    EXPECT_EQ(leadingSpace("\xe3\x80\x80x"), 3u);
    EXPECT_EQ(trailingSpace("x\xc2\xa0"), 2u);
    EXPECT_EQ(leadingSpace("\xe2\x80\x8b"), 0u);  // zero-width space is none
}

}  // namespace
}  // namespace owq
