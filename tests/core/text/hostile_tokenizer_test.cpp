// SPDX-License-Identifier: Apache-2.0
// Every hostile tokenizer of tests/data/hostile: it opens and gives the listed ids, or is refused by a message that names
// the file.
#include <gmock/gmock.h>

#include "core/text/tokenizer.h"
#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<Json> cases() {
    std::vector<Json> found;
    const Json index = readJson(fs::path(OWQ_TEST_DATA) / "hostile/index.json");
    for (const Json& one : index.at("cases"))
        for (const char* kind : {"tokenizer_json", "sp_model", "vocab_merges"})
            if (one.at("kind") == kind) found.push_back(one);
    return found;
}

class HostileTokenizer : public testing::TestWithParam<Json> {
protected:
    void SetUp() override {
        folder = fs::temp_directory_path() / ("owq-" + GetParam().at("id").get<std::string>() + std::to_string(::getpid()));
        fs::create_directories(folder);
        for (const auto& [name, stored] : GetParam().at("files").items())
            fs::copy_file(fs::path(OWQ_TEST_DATA) / "hostile" / stored.get<std::string>(), folder / name);
    }
    void TearDown() override { fs::remove_all(folder); }
    fs::path folder;
};

TEST_P(HostileTokenizer, OpensOrIsRefused) {
    const std::string expected = GetParam().at("expect");
    std::shared_ptr<const Tokenizer> tokenizer;
    try {
        tokenizer = openTokenizer(folder);
    } catch (const Error& error) {
        EXPECT_NE(expected, "accept") << error.what();
        EXPECT_THAT(error.what(), HasSubstr(folder.string()));
        RecordProperty("message", error.what());
        return;
    }
    ASSERT_NE(expected, "reject") << GetParam().at("why");
    EXPECT_LT(tokenizer->size(), 1'000'000);
    if (!GetParam().contains("encode")) {
        EXPECT_NO_FATAL_FAILURE(tokenizer->encode("ab ba"));
        return;
    }
    for (const Json& one : GetParam().at("encode")) {
        const std::string text = one.at("text");
        if (one.at("ids").is_null()) {  // ends, in whatever way
            EXPECT_THAT(errorOf([&] { tokenizer->encode(text); }), HasSubstr("pattern"));
            continue;
        }
        // Those of SentencePiece are the library's own, without a first token.
        EXPECT_EQ(tokenizer->encode(text, {false, true}), one.at("ids").get<std::vector<int32_t>>()) << text;
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, HostileTokenizer, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.at("id").template get<std::string>(); });

using TokenizerPlaces = FolderTest;

TEST_F(TokenizerPlaces, ALargeFilePointerIsNamed) {
    const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n";
    for (const char* name : {"tokenizer.model", "tokenizer.json", "vocab.json", "merges.txt"}) {
        fs::remove_all(folder);
        fs::create_directories(folder);
        write("vocab.json", R"({"a": 0})");
        write("merges.txt", "");
        write(name, pointer);
        const std::string message = errorOf([&] { openTokenizer(folder / name); });
        EXPECT_THAT(message, HasSubstr("Git LFS pointer"));
        EXPECT_THAT(message, HasSubstr(name));
    }
}

// The Hugging Face cache: a snapshot holds links into blobs named by their sums.
TEST_F(TokenizerPlaces, LinksOfACacheFolder) {
    const fs::path from = fs::path(OWQ_TEST_DATA) / "tokenizers/llama3_style", snapshot = folder / "snapshots/1f";
    fs::create_directories(folder / "blobs");
    fs::create_directories(snapshot);
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
        fs::copy_file(from / name, folder / "blobs" / std::string(name).substr(0, 12));
        fs::create_symlink(fs::path("../../blobs") / std::string(name).substr(0, 12), snapshot / name);
    }
    const auto want = openTokenizer(from)->encode("Hello 1234");
    for (const fs::path& path : {snapshot, snapshot / "tokenizer.json"}) {
        const auto tokenizer = openTokenizer(path);
        EXPECT_EQ(tokenizer->encode("Hello 1234"), want);
        EXPECT_EQ(tokenizer->piece(tokenizer->eos()), "<|end_of_text|>");  // which only tokenizer_config.json names
    }
}

}  // namespace
}  // namespace owq
