// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/text/bpe_files.h"
#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

using testing::HasSubstr;
class TokenizerJson : public FolderTest {
protected:
    void SetUp() override {
        FolderTest::SetUp();
        json = parseJson(R"({"normalizer": null,
            "added_tokens": [{"id": 6, "content": "<e>", "special": true, "rstrip": true}],
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
            "post_processor": {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<e>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<e>"}}],
                "special_tokens": {"<e>": {"ids": [6]}}},
            "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "c": 3, "abc": 4, "Ġ": 5},
                      "merges": [["a", "b"], ["ab", "c"]]}})", "test");
    }
    std::shared_ptr<const Tokenizer> open() const {
        writeJson(folder / "tokenizer.json", json);
        return openTokenizer(folder);
    }
    std::string message() const {
        return errorOf([&] { open(); });
    }
    Json json;
};

TEST_F(TokenizerJson, TemplateAndAddedTokens) {
    const auto tokenizer = open();
    EXPECT_EQ(tokenizer->encode("abcab<e> c"), (std::vector<int32_t>{6, 4, 2, 6, 3, 6}));
    EXPECT_EQ(tokenizer->encode("abc", {false, true}), (std::vector<int32_t>{4}));
    EXPECT_EQ(tokenizer->bos(), 6);
    EXPECT_EQ(tokenizer->size(), 7);
}

TEST_F(TokenizerJson, OlderSpellings) {
    json["model"]["merges"] = {"a b", "ab c"};
    json["model"].erase("type");
    json["post_processor"] = nullptr;
    EXPECT_EQ(open()->encode("abc ab"), (std::vector<int32_t>{4, 5, 2}));
    EXPECT_EQ(open()->bos(), -1);
}

TEST_F(TokenizerJson, WholeWordsFirst) {
    json["model"]["merges"] = Json::array();
    json["post_processor"] = nullptr;
    EXPECT_EQ(open()->encode("abc"), (std::vector<int32_t>{0, 1, 3}));
    json["model"]["ignore_merges"] = true;
    EXPECT_EQ(open()->encode("abc"), (std::vector<int32_t>{4}));
}

TEST_F(TokenizerJson, WhatIsNotKnownIsRefusedByName) {
    const Json good = json;
    json["normalizer"] = {{"type", "Precompiled"}};
    EXPECT_THAT(message(), HasSubstr("normalizer Precompiled"));
    json["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", "BertNormalizer"}}}}};
    EXPECT_THAT(message(), HasSubstr("BertNormalizer"));
    json = good;
    json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    EXPECT_THAT(message(), HasSubstr("pre-tokenizer BertPreTokenizer"));
    json = good;
    json["post_processor"] = {{"type", "Odd"}};
    EXPECT_THAT(message(), HasSubstr("post-processor Odd"));
    json = good;
    json["decoder"] = {{"type", "CTC"}};
    EXPECT_THAT(message(), HasSubstr("decoder CTC"));
    json = good;
    json["model"]["type"] = "WordPiece";
    EXPECT_THAT(message(), HasSubstr("model WordPiece"));
    json["model"]["type"] = "Unigram";
    EXPECT_THAT(message(), HasSubstr("Unigram behind a ByteLevel"));
    json = good;
    json["model"]["dropout"] = 0.1;
    EXPECT_THAT(message(), HasSubstr("dropout"));
}

TEST_F(TokenizerJson, DamageIsNamed) {
    const Json good = json;
    json["model"] = nullptr;
    EXPECT_THAT(message(), HasSubstr("model"));
    json = good;
    json["model"]["vocab"] = Json::array({"a"});
    EXPECT_THAT(message(), HasSubstr("vocab"));
    json = good;
    json["model"]["vocab"]["a"] = int64_t(1) << 40;
    EXPECT_THAT(message(), HasSubstr("out of range"));
    json["model"]["vocab"]["a"] = 4294967295u;
    EXPECT_THAT(message(), HasSubstr("out of range"));
    json = good;
    json["model"]["merges"] = "a b";
    EXPECT_THAT(message(), HasSubstr("merges"));
    json["model"]["merges"] = {"a b c"};
    EXPECT_THAT(message(), HasSubstr("merge 1"));
    json = good;
    json["added_tokens"][0]["id"] = -1;
    EXPECT_THAT(message(), HasSubstr("-1"));
    json["added_tokens"] = {"<e>"};
    EXPECT_THAT(message(), HasSubstr("added token"));
    json = good;
    json["post_processor"]["special_tokens"] = Json::object();
    EXPECT_THAT(message(), HasSubstr("<e>"));
    json = good;
    json["pre_tokenizer"] = {{"type", "Split"}, {"behavior", "Isolated"}, {"pattern", {{"Regex", "(a"}}}};
    EXPECT_THAT(message(), HasSubstr("pattern"));
}

}  // namespace
}  // namespace owq
