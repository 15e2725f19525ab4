// SPDX-License-Identifier: Apache-2.0
#include "core/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace owq {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& text, JsonLimits limits = {}) {
    try {
        parseJson(text, "config.json", limits);
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

TEST(Json, NamesSourceAndReason) {
    EXPECT_THAT(refusal("{\"a\": 1"), HasSubstr("config.json: not valid JSON at byte"));
    EXPECT_THAT(refusal("{\"a\": 1, \"a\": 2}"), HasSubstr("key \"a\" appears twice"));
    EXPECT_THAT(refusal("{\"a\": 1e999}"), HasSubstr("number overflow"));
    EXPECT_THAT(refusal("{\"a\": NaN}"), HasSubstr("not valid JSON"));
    EXPECT_THAT(refusal("{} {}"), HasSubstr("not valid JSON"));
    EXPECT_THAT(refusal("\xef\xbb\xbf{}"), HasSubstr("byte order mark"));
    EXPECT_THAT(refusal(std::string(100000, '[')), HasSubstr("nested deeper"));
    EXPECT_THAT(refusal("[1,2,3]", {4, 64, false}), HasSubstr("over the limit"));
}

TEST(Json, TypedAccessNamesTheKey) {
    const Json value = parseJson(R"({"n": 3, "x": 1.5, "s": "t", "big": 18446744073709551615, "none": null})", "here");
    EXPECT_EQ(required<int64_t>(value, "n", "here"), 3);
    EXPECT_EQ(required<double>(value, "n", "here"), 3.0);
    EXPECT_EQ(optional<double>(value, "none", 7.0, "here"), 7.0);
    EXPECT_THROW(required<int64_t>(value, "x", "here"), Error);
    EXPECT_THROW(required<int64_t>(value, "big", "here"), Error);
    EXPECT_THROW(required<std::string>(value, "missing", "here"), Error);
    EXPECT_THROW(required<bool>(Json::array(), "n", "here"), Error);
}

}  // namespace
}  // namespace owq
