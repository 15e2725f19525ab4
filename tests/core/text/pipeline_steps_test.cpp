// SPDX-License-Identifier: Apache-2.0
// Normalizers, pre-tokenizers and decoders of tokenizer.json one by one, as tokenizers 0.22 does them (steps.json); among them
// those of Falcon, BLOOM, Gemma and DeepSeek.
#include <gmock/gmock.h>

#include "core/text/byte_level.h"
#include "core/text/normalizer.h"
#include "core/text/piece_decoder.h"
#include "core/text/pre_tokenizer.h"
#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

const Json& steps() {
    static const Json json = readJson(std::filesystem::path(OWQ_TEST_DATA) / "tokenizers/steps.json");
    return json;
}

TEST(PipelineSteps, Normalizers) {
    for (const Json& step : steps()["normalizers"]) {
        const Normalizer normalizer(step["json"], "test");
        for (const Json& entry : step["cases"])
            EXPECT_EQ(normalizer(entry[0].get<std::string>()), entry[1].get<std::string>()) << step["name"] << ": " << entry[0];
    }
}

TEST(PipelineSteps, PreTokenizers) {
    for (const Json& step : steps()["pre_tokenizers"]) {
        const PreTokenizer preTokenizer(step["json"], "test");
        for (const Json& entry : step["cases"]) {
            std::vector<std::string> words;
            PreTokenizer::Kept kept;
            const std::string text = entry[0];
            preTokenizer.cut(text, true, kept, [&](std::string_view word, bool) {
                std::string spelled;
                for (char c : word) spelled += preTokenizer.endsInBytes() ? byteLetters()[uint8_t(c)] : std::string(1, c);
                words.push_back(spelled);
            });
            EXPECT_EQ(words, entry[1].get<std::vector<std::string>>()) << step["name"] << ": " << entry[0];
        }
    }
}

TEST(PipelineSteps, Decoders) {
    for (const Json& step : steps()["decoders"]) {
        const PieceDecoder decoder(step["json"], "test");
        for (const Json& entry : step["cases"]) {
            PieceDecoder::Pieces pieces;
            for (const Json& piece : entry[0]) pieces.push_back({piece.get<std::string>(), false});
            EXPECT_EQ(decoder(pieces), entry[1].get<std::string>()) << step["name"] << ": " << entry[0];
        }
    }
}

TEST(PipelineSteps, AByteRunAtTheEndMayBeUnfinished) {
    const PieceDecoder decoder(parseJson(R"({"type": "ByteFallback"})", "test"), "test");
    EXPECT_EQ(decoder({{"<0xE2>", false}, {"<0x82>", false}}), "\xe2\x82");
    EXPECT_EQ(decoder({{"<0x82>", false}}), "\xef\xbf\xbd");
}

TEST(PipelineSteps, TextsDoNotGrowOutOfProportion) {
    const Json step = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(10'000, 'b')}};
    const Normalizer normalizer(step, "test");
    EXPECT_THAT(errorOf([&] { normalizer(std::string(100'000, 'a')); }), testing::HasSubstr("times as long"));
}

TEST(PipelineSteps, EndlessMarksAreRefused) {
    const Normalizer normalizer(parseJson(R"({"type": "NFC"})", "test"), "test");
    std::string text = "a";
    for (int i = 0; i < 20'000; ++i) text += "\xcc\x81\xcc\xa3";  // marks in the wrong order
    EXPECT_THAT(errorOf([&] { normalizer(text); }), testing::HasSubstr("combining marks"));
}

}  // namespace
}  // namespace owq
