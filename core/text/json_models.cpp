// SPDX-License-Identifier: Apache-2.0
#include "core/text/json_models.h"

#include <cmath>

#include "core/text/bpe_words.h"
#include "core/text/json_parts.h"
#include "core/text/tokenizer_settings.h"
#include "core/text/unigram_model.h"

namespace owq {
namespace {

BpeModel::Merges readMerges(const Json& list, const std::string& where) {
    if (!list.is_array()) throw Error("\"merges\" is not a list", where);
    BpeModel::Merges merges;
    merges.reserve(list.size());
    for (const Json& entry : list) {
        const std::string at = where + ": merge " + std::to_string(merges.size() + 1);
        if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
            merges.emplace_back(entry[0].get<std::string>(), entry[1].get<std::string>());
            continue;
        }
        if (!entry.is_string()) throw Error("expected two tokens", at);
        const std::string text = entry.get<std::string>();
        const size_t space = text.find(' ');
        if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
            throw Error("expected two tokens parted by one space", at);
        merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    }
    return merges;
}

std::shared_ptr<const WordModel> readBpe(const Json& json, const SortedJson& vocab, bool bytes, const std::string& where) {
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (!optional<std::string>(json, key, "", where).empty()) refusePart(std::string("BPE with ") + key, where);
    if (optional<double>(json, "dropout", 0, where) != 0) refusePart("BPE with dropout", where);
    BpeRules rules;
    rules.byteLevel = bytes;
    rules.byteFallback = optional<bool>(json, "byte_fallback", false, where);
    rules.fuseUnknown = optional<bool>(json, "fuse_unk", false, where);
    rules.wholeWordsFirst = optional<bool>(json, "ignore_merges", false, where);
    if (!given(json, "merges")) throw Error("\"merges\" is missing", where);
    if (!vocab.is_object()) throw Error("\"vocab\" is not an object", where);
    BpeModel::Vocabulary vocabulary;
    vocabulary.reserve(vocab.size());
    for (const auto& [token, id] : vocab.items())
        vocabulary.emplace_back(token, checkedId(Json(id), int64_t(1) << 31, where + ": vocab"));
    auto model = std::make_shared<const BpeModel>(vocabulary, readMerges(json["merges"], where), where);
    if (given(json, "unk_token")) rules.unknown = model->find(required<std::string>(json, "unk_token", where));
    return std::make_shared<BpeWords>(std::move(model), rules);
}

std::shared_ptr<const WordModel> readUnigram(const Json& json, const SortedJson& vocab, const std::string& where) {
    if (!vocab.is_array()) throw Error("\"vocab\" is not a list", where);
    UnigramModel::Vocabulary vocabulary;
    vocabulary.reserve(vocab.size());
    for (const auto& entry : vocab) {
        if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number() ||
            !std::isfinite(entry[1].get<double>()))
            throw Error("expected a token and its score", where + ": vocab: entry " + std::to_string(vocabulary.size() + 1));
        vocabulary.emplace_back(entry[0].get<std::string>(), entry[1].get<double>());
    }
    const int32_t unknown = given(json, "unk_id") ? checkedId(json["unk_id"], int64_t(1) << 31, where + ": unk_id") : -1;
    return std::make_shared<UnigramModel>(std::move(vocabulary), unknown, optional<bool>(json, "byte_fallback", false, where), where);
}

}  // namespace

std::shared_ptr<const WordModel> readJsonModel(const Json& json, const SortedJson& vocab, bool bytes, const std::string& where) {
    if (!json.is_object()) throw Error("\"model\" is missing", where);
    // Older files do not say which model they hold.
    const std::string guess = given(json, "merges") ? "BPE" : vocab.is_array() ? "Unigram" : "without a type";
    const std::string type = optional<std::string>(json, "type", guess, where);
    if (type == "BPE") return readBpe(json, vocab, bytes, where);
    if (type == "Unigram" && bytes) refusePart("Unigram behind a ByteLevel pre-tokenizer", where);
    if (type == "Unigram") return readUnigram(json, vocab, where);
    refusePart("model " + type, where);
}

}  // namespace owq
