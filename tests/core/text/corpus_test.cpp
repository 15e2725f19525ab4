// SPDX-License-Identifier: Apache-2.0
#include "core/text/corpus.h"

#include <gmock/gmock.h>

#include "core/checkpoint/tensor_file.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "tests/core/checkpoint/temporary_folder.h"
#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
const fs::path kSample = OWQ_SAMPLE, kReference = fs::path(OWQ_TEST_DATA) / "reference";

std::string hashOf(const std::vector<int32_t>& ids) { return sha256(std::as_bytes(std::span(ids))); }

// One id for each byte, 256 in front.
class Bytes : public Tokenizer {
public:
    std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options) const override {
        std::vector<int32_t> ids;
        if (options.addSpecial) ids.push_back(256);
        for (char c : text) ids.push_back(options.matchSpecial && c == '#' ? 257 : int32_t(uint8_t(c)));
        return ids;
    }
    std::string decode(std::span<const int32_t> ids, bool) const override {
        std::string text;
        for (int32_t id : ids)
            if (id < 256) text += char(id);
        return text;
    }
    std::string piece(int32_t) const override { return {}; }
    int64_t size() const override { return 258; }
    int32_t bos() const override { return 256; }
    int32_t eos() const override { return -1; }
    int32_t unknown() const override { return 'U'; }
    std::string description() const override { return "bytes"; }
};

class WholeText : public testing::TestWithParam<const char*> {};

TEST_P(WholeText, CountAndHashOfAllIds) {
    const std::string name = GetParam();
    const auto tokenizer = openTokenizer(kSample / ("sample-" + name));
    const Json golden = readJson(kReference / name / "reference.json")["eval_tokens"];
    const std::pair<const char*, fs::path> texts[] = {{"heldout", kSample / "heldout.txt"},
                                                      {"wikitext2", kSample / "wikitext2.test.txt"}};
    for (const auto& [key, file] : texts) {
        const std::vector<int32_t> ids = evaluationTokens(file, Protocol::plain, *tokenizer, 512);
        EXPECT_EQ(int64_t(ids.size()), golden[key]["count"].get<int64_t>()) << key;
        EXPECT_EQ(hashOf(ids), golden[key]["sha256_int32_le"].get<std::string>()) << key;
        const TokenWindows windows = evaluationWindows(ids, 512, 64, tokenizer->size());
        const auto stored = openSafetensors(kReference / name / "eval.safetensors")->read(key).toInteger();
        EXPECT_EQ(std::vector<int64_t>(windows.ids.begin(), windows.ids.end()), stored) << key;
    }
    const fs::path ptb = fs::path(OWQ_SOURCE_DIR) / "../shared/data/ptb.test.txt";
    if (!fs::exists(ptb)) return;
    const std::vector<int32_t> ids = evaluationTokens(ptb, Protocol::ptb, *tokenizer, 512);
    EXPECT_EQ(int64_t(ids.size()), golden["ptb"]["count"].get<int64_t>());
    EXPECT_EQ(hashOf(ids), golden["ptb"]["sha256_int32_le"].get<std::string>());
}

TEST_P(WholeText, TheAuthorsCalibrationWindows) {
    const std::string name = GetParam();
    const auto tokenizer = openTokenizer(kSample / ("sample-" + name));
    CalibrationSource source;
    source.text = kSample / "calibration.txt";
    source.sequenceLength = 512;
    const TokenWindows windows = calibrationWindows(source, tokenizer.get(), tokenizer->size());
    EXPECT_EQ(windows.count(), 128);
    EXPECT_THAT(windows.warnings, testing::IsEmpty());

    source.text.clear();
    source.tokens = kReference / name / "calib.safetensors";
    EXPECT_EQ(calibrationWindows(source, nullptr, tokenizer->size()).ids, windows.ids);
}

TEST_P(WholeText, DocumentsOfRealTokens) {
    const auto tokenizer = openTokenizer(kSample / (std::string("sample-") + GetParam()));
    std::string lines;
    const std::vector<std::string> texts{"It was late.", " A second one, with a leading space and naïve café — dashes", "The third.\n\nIn two parts.", "Last"};
    for (const std::string& text : texts) lines += Json{{"text", text}}.dump() + "\n";
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "a.jsonl";
    writeText(file, lines);
    for (const Protocol protocol : {Protocol::plain, Protocol::c4}) {
        const std::vector<int32_t> ids = evaluationTokens(file, protocol, *tokenizer, 8);
        const std::vector<int64_t> starts = documentStarts(file, protocol, *tokenizer, ids).value();
        ASSERT_EQ(starts.size(), texts.size());
        for (size_t d = 0; d < texts.size(); ++d) {
            const size_t end = d + 1 < texts.size() ? size_t(starts[d + 1]) : ids.size();
            const std::string spelled = tokenizer->decode(std::span(ids).subspan(size_t(starts[d]), end - size_t(starts[d])), true);
            EXPECT_NE(spelled.find(texts[d].substr(2)), std::string::npos) << spelled;
            EXPECT_LE(spelled.size(), texts[d].size() + 3) << spelled;
        }
    }
}

// Characters that no vocabulary of the samples has: spelled byte by byte, or in parts that end inside of one.
TEST_P(WholeText, DocumentsOfCharactersSpelledInBytes) {
    const fs::path sample = kSample / (std::string("sample-") + GetParam());
    const std::vector<std::string> texts{"A smile \xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80 here", "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", "Plain",
                                         "end \xf0\x9f\xa6\x8a"};
    std::string lines;
    for (const std::string& text : texts) lines += Json{{"text", text}}.dump() + "\n";
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "a.jsonl";
    writeText(file, lines);
    std::vector<std::shared_ptr<const Tokenizer>> tokenizers{openTokenizer(sample)};
    if (fs::exists(sample / "tokenizer.model")) tokenizers.push_back(openSentencePiece(sample / "tokenizer.model", SentencePieceRules::fast));
    for (const auto& tokenizer : tokenizers) {
        const std::string from = tokenizer->description();
        const std::vector<int32_t> ids = evaluationTokens(file, Protocol::plain, *tokenizer, 8);
        const auto starts = documentStarts(file, Protocol::plain, *tokenizer, ids);
        ASSERT_TRUE(starts) << from;
        ASSERT_EQ(starts->size(), texts.size());
        for (size_t d = 0; d < texts.size(); ++d) {
            const size_t end = d + 1 < texts.size() ? size_t((*starts)[d + 1]) : ids.size();
            const std::string spelled = tokenizer->decode(std::span(ids).subspan(size_t((*starts)[d]), end - size_t((*starts)[d])), true);
            EXPECT_NE(spelled.find(texts[d]), std::string::npos) << from << ": " << spelled;
            EXPECT_LE(spelled.size(), texts[d].size() + 3) << spelled;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Samples, WholeText, testing::Values("opt", "llama"));

class Corpus : public FolderTest {
protected:
    std::string evaluated(const fs::path& file, Protocol protocol, int64_t length = 4) const {
        return bytes.decode(evaluationTokens(file, protocol, bytes, length), false);
    }
    Bytes bytes;
};

TEST_F(Corpus, ProtocolsJoinRowsAsTheirPapersDo) {
    const fs::path text = write("a.txt", " one \n \n# two\n"), lines = write("a.jsonl", "{\"text\":\"x\"}\n{\"text\":\"y \"}\n");
    EXPECT_EQ(evaluated(text, Protocol::plain), " one \n \n# two\n");
    EXPECT_EQ(evaluated(text, Protocol::wikitext2), " one \n\n\n\n\n two\n");  // "#" became a special id
    EXPECT_EQ(evaluated(text, Protocol::ptb), "one  # two");
    EXPECT_EQ(evaluated(lines, Protocol::c4), "x y ");
    EXPECT_EQ(evaluated(lines, Protocol::ptb), "x y");
    EXPECT_EQ(evaluationTokens(text, Protocol::plain, bytes, 4)[0], 256);
}

TEST_F(Corpus, DocumentsBeginAtTheirFirstToken) {
    const fs::path lines = write("a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"\"}\n{\"text\":\"three\"}\n");
    const auto starts = [&](const fs::path& file, Protocol protocol) { return documentStarts(file, protocol, bytes, evaluationTokens(file, protocol, bytes, 4)); };
    EXPECT_EQ(starts(lines, Protocol::plain), (std::vector<int64_t>{0, 1 + 5, 1 + 7}));  // behind BOS; two line feeds each
    EXPECT_EQ(starts(lines, Protocol::c4), (std::vector<int64_t>{0, 1 + 4, 1 + 5}));
    EXPECT_TRUE(starts(lines, Protocol::ptb)->empty());
    EXPECT_TRUE(starts(write("one.txt", "one\n\ntwo"), Protocol::plain)->empty());
    EXPECT_FALSE(starts(write("b.jsonl", "{\"text\":\"a # b\"}\n{\"text\":\"c\"}\n"), Protocol::c4)) << "a special id does not spell its text";
}

TEST_F(Corpus, C4IsCut) {
    std::string lines;
    for (int i = 0; i < 1200; ++i) lines += "{\"text\":\"abc\"}\n";
    const fs::path file = write("c4.jsonl", lines);
    EXPECT_EQ(evaluationTokens(file, Protocol::c4, bytes, 4).size(), 256u * 4);
    EXPECT_EQ(evaluationTokens(file, Protocol::c4, bytes, 100).size(), 1100u * 4);  // with BOS, without the last space
}

TEST_F(Corpus, ProtocolNames) {
    EXPECT_EQ(protocolFromName("ptb"), Protocol::ptb);
    EXPECT_EQ(protocolName(Protocol::wikitext2), "wikitext2");
    EXPECT_THAT(errorOf([] { protocolFromName("wiki"); }), testing::AllOf(HasSubstr("wiki"), HasSubstr("plain")));
}

TEST_F(Corpus, EvaluationWindows) {
    const std::vector<int32_t> ids{0, 1, 2, 3, 4, 5, 6};
    const TokenWindows windows = evaluationWindows(ids, 3, 0, 7);
    EXPECT_EQ(windows.count(), 2);
    EXPECT_EQ(windows.window(1)[0], 3);
    EXPECT_EQ(evaluationWindows(ids, 3, 1, 7).count(), 1);
    EXPECT_THAT(errorOf([&] { evaluationWindows(ids, 8, 0, 7); }), testing::AllOf(HasSubstr("7 tokens"), HasSubstr("8")));
    EXPECT_THAT(errorOf([&] { evaluationWindows(ids, 3, 0, 5); }), HasSubstr("vocabulary has 5"));
    EXPECT_THAT(errorOf([&] { evaluationWindows(ids, 1, 0, 7); }), HasSubstr("at least 2"));
}

TEST_F(Corpus, TokenFiles) {
    const auto stored = [&](std::vector<int64_t> shape) {
        int64_t count = 1;
        for (int64_t n : shape) count *= n;
        std::vector<int32_t> ids(static_cast<size_t>(count));
        for (size_t i = 0; i < ids.size(); ++i) ids[i] = int32_t(i);
        writeSafetensors(folder / "t.safetensors", {{"input_ids", Tensor::i32(shape, ids)}});
        return folder / "t.safetensors";
    };
    EXPECT_EQ(readTokenFile(stored({3})), (std::vector<int32_t>{0, 1, 2}));
    EXPECT_EQ(readTokenFile(stored({1, 2})), (std::vector<int32_t>{0, 1}));
    EXPECT_THAT(errorOf([&] { readTokenFile(stored({2, 2})); }), HasSubstr("[2, 2]"));

    CalibrationSource source;
    source.samples = 2;
    source.tokens = stored({3, 4});
    TokenWindows windows = calibrationWindows(source, nullptr, 12);
    EXPECT_EQ(windows.count(), 2);
    EXPECT_THAT(windows.warnings, testing::ElementsAre(HasSubstr("first 2 of 3")));
    EXPECT_THAT(errorOf([&] { calibrationWindows(source, nullptr, 5); }), HasSubstr("vocabulary has 5"));
    source.sequenceLength = 5;
    EXPECT_THAT(errorOf([&] { calibrationWindows(source, nullptr, 12); }), HasSubstr("4 tokens"));
    source.tokens = stored({12});
    EXPECT_EQ(calibrationWindows(source, nullptr, 12).window(1)[0], 5);
    source.sequenceLength = 0;
    EXPECT_THAT(errorOf([&] { calibrationWindows(source, nullptr, 12); }), HasSubstr("--sequence-length"));
    writeSafetensors(folder / "t.safetensors", {{"ids", Tensor::i32({1}, {0})}});
    EXPECT_THAT(errorOf([&] { readTokenFile(folder / "t.safetensors"); }), HasSubstr("there is: ids"));
    writeSafetensors(folder / "t.safetensors", {{"input_ids", Tensor::f32({1}, {0})}});
    EXPECT_THROW(readTokenFile(folder / "t.safetensors"), Error);
}

TEST_F(Corpus, CalibrationFromDocumentsAndFromShortOnes) {
    std::string lines;
    for (int i = 0; i < 20; ++i)
        lines += "{\"text\":\"" + std::string(i % 2 ? 30 : 3, char('a' + i)) + "\"}\n";
    CalibrationSource source;
    source.text = write("d.jsonl", lines);
    source.samples = 8;
    source.sequenceLength = 16;
    const TokenWindows windows = calibrationWindows(source, &bytes, 258);
    ASSERT_EQ(windows.count(), 8);
    for (int64_t i = 0; i < 8; ++i) EXPECT_EQ(windows.window(i)[8], windows.window(i)[15]) << "one document each";
    EXPECT_EQ(calibrationWindows(source, &bytes, 258).ids, windows.ids);
    source.seed = 1;
    EXPECT_NE(calibrationWindows(source, &bytes, 258).ids, windows.ids);

    source.sequenceLength = 60;  // longer than any document: they are joined
    const TokenWindows joined = calibrationWindows(source, &bytes, 258);
    EXPECT_EQ(joined.count(), 8);
    EXPECT_THAT(joined.warnings, testing::Contains(HasSubstr("more than once")));
    source.sequenceLength = 4000;
    EXPECT_THAT(errorOf([&] { calibrationWindows(source, &bytes, 258); }), HasSubstr("too few"));
}

TEST_F(Corpus, CalibrationWarnsOfUnknownTokens) {
    CalibrationSource source;
    source.text = write("u.txt", std::string(500, 'U'));
    source.samples = 2;
    source.sequenceLength = 10;
    EXPECT_THAT(calibrationWindows(source, &bytes, 258).warnings, testing::Contains(HasSubstr("<unk>")));
    EXPECT_THAT(errorOf([&] { calibrationWindows(source, nullptr, 258); }), HasSubstr("tokenizer"));
    source.tokens = source.text;
    EXPECT_THROW(calibrationWindows(source, &bytes, 258), Error);
}

}  // namespace
}  // namespace owq
