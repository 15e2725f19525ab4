// SPDX-License-Identifier: Apache-2.0
#include "core/text/bpe_files.h"

#include <gmock/gmock.h>

#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

using testing::HasSubstr;
class BpeFiles : public FolderTest {
protected:
    void SetUp() override {
        FolderTest::SetUp();
        write("vocab.json", R"({"a": 0, "b": 1, "ab": 2, "c": 3, "abc": 4, "<|endoftext|>": 5})");
        write("merges.txt", "#version: 0.2\na b\nab c\n");
    }
    std::shared_ptr<const Tokenizer> open() const { return openTokenizer(folder); }
};

TEST_F(BpeFiles, WithoutSettingsItIsGpt2) {
    const auto tokenizer = open();
    EXPECT_EQ(tokenizer->encode("abcab<|endoftext|>c"), (std::vector<int32_t>{4, 2, 5, 3}));
    EXPECT_EQ(tokenizer->bos(), 5);
    EXPECT_EQ(tokenizer->eos(), 5);
    EXPECT_EQ(tokenizer->size(), 6);
    EXPECT_EQ(tokenizer->piece(4), "abc");
    EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{4, 5}, true), "abc");
    EXPECT_THAT(tokenizer->description(), HasSubstr("6 tokens"));
}

TEST_F(BpeFiles, SettingsDecideOnTheFirstToken) {
    write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true, "bos_token": "c",
        "eos_token": {"content": "c"}, "unk_token": "c"})");
    EXPECT_EQ(open()->encode("ab"), (std::vector<int32_t>{3, 2}));
    EXPECT_EQ(open()->encode("ab", {false, true}), (std::vector<int32_t>{2}));
    EXPECT_EQ(open()->unknown(), 3);
}

TEST_F(BpeFiles, AddedTokensMayLieBehindTheVocabulary) {
    write("added_tokens.json", R"({"<x>": 7})");
    const auto tokenizer = open();
    EXPECT_EQ(tokenizer->encode("a<x>b"), (std::vector<int32_t>{0, 7, 1}));
    EXPECT_EQ(tokenizer->encode("a<x>b", {true, false}), (std::vector<int32_t>{0, 5, 5, 5, 1}));  // unknown bytes
    EXPECT_EQ(tokenizer->size(), 8);
    EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{0, 7}, true), "a<x>");
    EXPECT_THAT(errorOf([&] { tokenizer->piece(8); }), HasSubstr("8"));
    EXPECT_THAT(errorOf([&] { tokenizer->decode(std::vector<int32_t>{-1}); }), HasSubstr("-1"));
}

TEST_F(BpeFiles, OtherLineEndsAreFine) {
    write("merges.txt", "#version: 0.2\r\na b\r\nab c");
    EXPECT_EQ(open()->encode("abc"), (std::vector<int32_t>{4}));
}

TEST_F(BpeFiles, DamageIsNamed) {
    write("merges.txt", "a b c\n");
    EXPECT_THAT(errorOf([&] { open(); }), testing::AllOf(HasSubstr("line 1"), HasSubstr("merges.txt")));
    write("merges.txt", "a \xff\n");
    EXPECT_THAT(errorOf([&] { open(); }), HasSubstr("UTF-8"));
    write("merges.txt", "a z\n");
    EXPECT_THAT(errorOf([&] { open(); }), HasSubstr("\"z\""));
    write("vocab.json", "[1]");
    EXPECT_THAT(errorOf([&] { open(); }), HasSubstr("vocab.json"));
    write("vocab.json", R"({"a": -1})");
    EXPECT_THAT(errorOf([&] { open(); }), HasSubstr("-1"));
    write("vocab.json", R"({"a": "0"})");
    EXPECT_THAT(errorOf([&] { open(); }), HasSubstr("whole number"));
    write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer"})");
    EXPECT_THAT(errorOf([&] { open(); }), HasSubstr("Qwen2Tokenizer"));
}

TEST_F(BpeFiles, IllFormedTextIsRefused) {
    EXPECT_THAT(errorOf([&] { open()->encode("ab\xff"); }), HasSubstr("byte 2"));
}

TEST_F(BpeFiles, AFolderWithoutTokenizerSaysWhatItNeeds) {
    std::filesystem::remove(folder / "merges.txt");
    EXPECT_THAT(errorOf([&] { open(); }), HasSubstr("merges.txt"));
    EXPECT_THAT(errorOf([&] { openTokenizer(folder / "none"); }), HasSubstr("none"));
}

}  // namespace
}  // namespace owq
