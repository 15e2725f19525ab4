// SPDX-License-Identifier: Apache-2.0
// Golden lists of the usual libraries: ids of awkward strings, and back. Vocabularies that may not be shipped are read
// from the folder beside the source tree where it is there.
#include <gmock/gmock.h>

#include <fstream>
#include <map>

#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"
#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
const fs::path kData = fs::path(OWQ_TEST_DATA) / "tokenizers";
const fs::path kShared = fs::path(OWQ_SOURCE_DIR) / "../shared";

std::string fromBase64(const std::string& text) {
    static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    uint32_t bits = 0;
    int count = 0;
    for (char c : text) {
        if (c == '=') break;
        bits = bits << 6 | uint32_t(letters.find(c));
        if ((count += 6) >= 8) bytes += char(bits >> (count -= 8));
    }
    return bytes;
}

struct Variant {
    std::string golden, tokenizer;  ///< golden list; tokenizer path, in kData or (with "shared:") in kShared
    std::string config;             ///< tokenizer_config.json put beside a copy; empty: opened in place
    EncodeOptions options;
    std::vector<std::string> except;
    bool skipSpecial = false;
    SentencePieceRules rules = SentencePieceRules::slow;
};

void PrintTo(const Variant& v, std::ostream* out) { *out << v.golden; }

class Golden : public testing::TestWithParam<Variant> {
protected:
    void SetUp() override {
        const Variant& v = GetParam();
        const bool shared = v.tokenizer.starts_with("shared:");
        fs::path path = shared ? kShared / v.tokenizer.substr(7) : kData / v.tokenizer;
        if (shared && !fs::exists(path)) GTEST_SKIP() << path << " is not there";
        if (!v.config.empty()) {
            folder_ = fs::temp_directory_path() / ("owq-golden-" + v.golden + std::to_string(::getpid()));
            fs::create_directories(folder_);
            fs::remove(folder_ / "tokenizer.model");
            fs::create_symlink(fs::absolute(path), folder_ / "tokenizer.model");
            writeText(folder_ / "tokenizer_config.json", v.config);
            path = folder_;
        }
        tokenizer_ = v.rules == SentencePieceRules::slow ? openTokenizer(path) : openSentencePiece(path / "tokenizer.model", v.rules);
        golden_ = readJson(kData / "golden" / (v.golden + ".json"));
    }
    void TearDown() override {
        if (!folder_.empty()) fs::remove_all(folder_);
    }
    std::shared_ptr<const Tokenizer> tokenizer_;
    Json golden_;
    fs::path folder_;
};

TEST_P(Golden, Encode) {
    const Json strings = readJson(kData / "strings.json");
    int cases = 0;
    for (const Json& entry : strings["strings"]) {
        const std::string id = entry["id"];
        if (!golden_["ids"].contains(id) || !entry["valid_utf8"].get<bool>()) continue;
        if (std::count(GetParam().except.begin(), GetParam().except.end(), id)) continue;
        const std::string text = fromBase64(entry["utf8_b64"]);
        EXPECT_EQ(tokenizer_->encode(text, GetParam().options), golden_["ids"][id].get<std::vector<int32_t>>())
            << id << ": " << text;
        ++cases;
    }
    EXPECT_GE(cases, 140);
}

TEST_P(Golden, Decode) {
    for (const Json& entry : golden_["decode"]) {
        const auto ids = entry["ids"].get<std::vector<int32_t>>();
        if (GetParam().skipSpecial && std::count(ids.begin(), ids.end(), 0)) continue;  // " ⁇ " is the library's own
        const std::string text = tokenizer_->decode(ids, GetParam().skipSpecial);
        EXPECT_EQ(replaceInvalidUtf8(text), replaceInvalidUtf8(fromBase64(entry["utf8_b64"]))) << entry["ids"];
    }
}

const char* kLegacy = R"({"tokenizer_class": "LlamaTokenizer", "legacy": true})";
const char* kNonLegacy = R"({"tokenizer_class": "LlamaTokenizer", "legacy": false})";
const std::string kLlama = "shared:reference/tokenizers/llama/tokenizer.model";
const EncodeOptions kSpelled{true, false}, kBare{false, false}, kNoTemplate{false, true};

INSTANTIATE_TEST_SUITE_P(
    Tokenizers, Golden,
    testing::Values(Variant{"opt_style.hf457_slow", "opt_style", "", {}, {}},
                    Variant{"gpt2.hf457_slow", "shared:reference/tokenizers/gpt2", "", {}, {}},
                    Variant{"llama3_style.default", "llama3_style", "", {}, {}},
                    Variant{"llama3_style.no_special", "llama3_style", "", kNoTemplate, {}},
                    Variant{"qwen2_style.default", "qwen2_style", "", {}, {}},
                    Variant{"qwen2_style.no_special", "qwen2_style", "", kNoTemplate, {}},
                    Variant{"llama2_json_style.default", "llama2_json_style", "", {}, {}},
                    Variant{"llama2_json_style.no_special", "llama2_json_style", "", kNoTemplate, {}},
                    Variant{"llama2_json_style.default", "llama2_json_oldmerges", "", {}, {}},
                    Variant{"unigram_metaspace.default", "unigram_metaspace", "", {}, {}},
                    Variant{"unigram_metaspace.no_special", "unigram_metaspace", "", kNoTemplate, {}},
                    Variant{"llama.sentencepiece", kLlama, "", kBare, {}, true},
                    Variant{"llama.hf457_slow_legacy", kLlama, kLegacy, {}, {}},
                    Variant{"llama.hf457_slow_nonlegacy", kLlama, kNonLegacy, {}, {}},
                    // The emptied list still knows a text that is nothing but a special token; plain SentencePiece (llama.sentencepiece,
                    // tokenizer_cases.json) spells it, and so does EncodeOptions::matchSpecial = false.
                    Variant{"llama.hf457_slow_legacy_emptytrie", kLlama, kLegacy, kSpelled, {"s080", "s081"}},
                    Variant{"llama.hf457_slow_nonlegacy_emptytrie", kLlama, kNonLegacy, kSpelled, {}},
                    Variant{"llama.hf457_fast_nonlegacy", kLlama, kNonLegacy, {}, {}, false, SentencePieceRules::fast},
                    Variant{"llama.hf523_nonlegacy", kLlama, kNonLegacy, {}, {}, false, SentencePieceRules::transformers5}),
    [](const auto& info) {
        std::string name = info.param.golden;
        if (name.starts_with("llama2") && info.param.tokenizer.ends_with("oldmerges")) name += "_oldmerges";
        std::replace(name.begin(), name.end(), '.', '_');
        return name;
    });

class SampleCases : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(SampleCases, IdsAndText) {
    const auto& [key, path] = GetParam();
    const fs::path file = std::string(path).starts_with("shared:") ? kShared / (path + 7) : fs::path(path);
    if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
    const auto tokenizer = openTokenizer(file);
    const bool matched = std::string(key) == "opt";
    const Json cases = readJson(fs::path(OWQ_TEST_DATA) / "tokenizer_cases.json");
    for (const Json& entry : cases["cases"]) {
        const std::string text = entry["text"];
        const auto ids = tokenizer->encode(text, EncodeOptions{true, matched});
        EXPECT_EQ(ids, entry[key].get<std::vector<int32_t>>()) << text;
        const std::string decoded = tokenizer->decode(std::span(ids).subspan(1));
        EXPECT_EQ(decoded, entry[std::string(key) + "_decoded"].get<std::string>()) << text;
    }
    EXPECT_GE(cases["cases"].size(), 40u);
}

INSTANTIATE_TEST_SUITE_P(Samples, SampleCases,
                         testing::Values(std::pair("opt", OWQ_SAMPLE "/sample-opt"),
                                         std::pair("opt", OWQ_SAMPLE "/sample-opt/tokenizer.json"),
                                         std::pair("llama", OWQ_SAMPLE "/sample-llama"),
                                         std::pair("llama2", "shared:data/llama2.tokenizer.model")));

}  // namespace
}  // namespace owq
