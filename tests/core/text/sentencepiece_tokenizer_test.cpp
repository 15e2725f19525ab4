// SPDX-License-Identifier: Apache-2.0
#include "core/text/sentencepiece_tokenizer.h"

#include <gmock/gmock.h>
#include <sentencepiece_processor.h>

#include <cstring>

#include "core/text/sentencepiece_proto.h"
#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;
const fs::path kModel = fs::path(OWQ_SAMPLE) / "sample-llama" / "tokenizer.model";
class SentencePiece : public FolderTest {
protected:
    void SetUp() override {
        FolderTest::SetUp();
        fs::copy_file(kModel, folder / "tokenizer.model");
    }
};

TEST_F(SentencePiece, Facts) {
    const auto tokenizer = openTokenizer(folder);
    EXPECT_EQ(tokenizer->description(), "SentencePiece BPE, 4096 pieces");
    EXPECT_EQ(tokenizer->bos(), 1);
    EXPECT_EQ(tokenizer->eos(), 2);
    EXPECT_EQ(tokenizer->unknown(), 0);
    EXPECT_EQ(tokenizer->piece(1), "<s>");
    EXPECT_EQ(tokenizer->piece(13), "<0x0A>");
    EXPECT_THAT(errorOf([&] { tokenizer->piece(4096); }), HasSubstr("4096"));
    EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{1, 13, 2}, true), "\n");
}

TEST_F(SentencePiece, SettingsDecideOnFirstAndLastToken) {
    write("tokenizer_config.json", R"({"add_bos_token": false, "add_eos_token": true})");
    const auto ids = openTokenizer(folder)->encode("the");
    EXPECT_NE(ids.front(), 1);
    EXPECT_EQ(ids.back(), 2);
    EXPECT_NE(openTokenizer(folder)->encode("the", {false, true}).back(), 2);
}

TEST_F(SentencePiece, AddedTokens) {
    write("added_tokens.json", R"({"<pad>": 4096})");
    const auto tokenizer = openTokenizer(folder);
    EXPECT_EQ(tokenizer->size(), 4097);
    EXPECT_EQ(tokenizer->encode("a<pad>", {false, true}).back(), 4096);
    EXPECT_EQ(tokenizer->piece(4096), "<pad>");
    write("added_tokens.json", R"({"<pad>": 5000000})");
    EXPECT_THAT(errorOf([&] { openTokenizer(folder); }), HasSubstr("<pad>"));
}

// Long texts are encoded word by word; short ones go to the library whole. Both must give the same.
TEST_F(SentencePiece, WordByWordGivesTheSame) {
    EXPECT_TRUE(readSentencePieceFacts(readText(kModel), "test").wordsAreApart);
    const auto tokenizer = openTokenizer(folder);
    std::string text = readText(fs::path(OWQ_SAMPLE) / "heldout.txt");
    text.resize(text.rfind('\n', 100'000));
    sentencepiece::SentencePieceProcessor library;
    ASSERT_TRUE(library.Load(kModel.string()).ok());
    for (const std::string& odd : {text, std::string(300, ' '), "  " + text, std::string(250, 'x') + "  \xe2\x96\x81 \xe2\x96\x81y ",
                                   std::string(250, '\n') + " \n \xf0\x9f\x98\x80 "}) {
        std::vector<int> ids;
        ASSERT_TRUE(library.Encode(odd, &ids).ok());
        EXPECT_EQ(tokenizer->encode(odd, {false, false}), ids);
    }
}

// Fields of a serialized message.
std::string bytesField(int number, const std::string& bytes) {
    return std::string{char(number << 3 | 2), char(bytes.size())} + bytes;
}
std::string numberField(int number, int value) { return {char(number << 3), char(value)}; }
std::string pieceField(const std::string& text, float score, int type) {
    std::string bytes(sizeof score, 0);
    std::memcpy(bytes.data(), &score, sizeof score);
    return bytesField(1, bytesField(1, text) + std::string(1, char(2 << 3 | 5)) + bytes + numberField(3, type));
}

TEST_F(SentencePiece, UnigramModels) {
    constexpr int kNormal = 1, kUnknown = 2, kControl = 3;
    const std::string space = "\xe2\x96\x81";
    write("tokenizer.model", pieceField("<unk>", 0, kUnknown) + pieceField("<s>", 0, kControl) + pieceField("</s>", 0, kControl) +
                                 pieceField(space + "a", -1, kNormal) + pieceField(space, -2, kNormal) + pieceField("a", -2.5, kNormal) +
                                 pieceField("b", -2.5, kNormal) + pieceField("ab", -3, kNormal) +
                                 bytesField(2, numberField(3, 1)) + bytesField(3, bytesField(1, "identity") + numberField(4, 0)));
    const auto tokenizer = openTokenizer(folder);
    EXPECT_EQ(tokenizer->description(), "SentencePiece unigram, 8 pieces");
    EXPECT_EQ(tokenizer->encode("a b"), (std::vector<int32_t>{1, 3, 4, 6}));
    EXPECT_EQ(tokenizer->encode("aab"), (std::vector<int32_t>{1, 3, 7}));
    EXPECT_EQ(tokenizer->encode("ax</s>"), (std::vector<int32_t>{1, 3, 0, 2}));
    EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{3, 4, 6}), "a b");
    EXPECT_THAT(errorOf([&] { openSentencePiece(folder / "tokenizer.model", SentencePieceRules::fast); }), HasSubstr("unigram"));
}

TEST_F(SentencePiece, DamagedFilesAreErrors) {
    write("tokenizer.model", "version https://git-lfs.github.com/spec/v1\n");
    EXPECT_THAT(errorOf([&] { openTokenizer(folder); }), HasSubstr("tokenizer.model"));
    write("tokenizer.model", readText(kModel).substr(0, 1000));
    EXPECT_THAT(errorOf([&] { openTokenizer(folder); }), HasSubstr("tokenizer.model"));
    write("tokenizer.model", "");
    EXPECT_THAT(errorOf([&] { openTokenizer(folder); }), HasSubstr("tokenizer.model"));
    EXPECT_THAT(errorOf([] { readSentencePieceFacts("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "w"); }), HasSubstr("w"));
}

TEST_F(SentencePiece, IllFormedTextIsRefused) {
    EXPECT_THAT(errorOf([&] { openTokenizer(folder)->encode("ab\xff"); }), HasSubstr("byte 2"));
}

}  // namespace
}  // namespace owq
