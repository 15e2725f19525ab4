// SPDX-License-Identifier: Apache-2.0
#include "core/base/file.h"
#include "core/text/bpe_files.h"
#include "core/text/bpe_tokenizer.h"
#include "core/text/tokenizer_settings.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
    throw Error(what + " is not supported", where, "Use the model's tokenizer.model, or vocab.json and merges.txt");
}

std::string typeOf(const Json& part, const std::string& where) { return required<std::string>(part, "type", where); }
bool given(const Json& object, const char* key) { return object.contains(key) && !object.at(key).is_null(); }

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

BpeModel::Vocabulary readVocabulary(const SortedJson& vocab, const std::string& where) {
    if (!vocab.is_object()) throw Error("\"vocab\" is not an object", where);
    BpeModel::Vocabulary vocabulary;
    vocabulary.reserve(vocab.size());
    for (const auto& [token, id] : vocab.items())
        vocabulary.emplace_back(token, checkedId(Json(id), int64_t(1) << 31, where + ": vocab"));
    return vocabulary;
}

std::shared_ptr<const BpeModel> readModel(const Json& json, const SortedJson& vocab, BpeParts& parts,
                                          const std::string& where) {
    if (!json.is_object()) throw Error("\"model\" is missing", where);
    const std::string type = optional<std::string>(json, "type", given(json, "merges") ? "BPE" : "without a type", where);
    if (type != "BPE") refuse("model " + type, where);
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (!optional<std::string>(json, key, "", where).empty()) refuse(std::string("BPE with ") + key, where);
    if (optional<bool>(json, "byte_fallback", false, where)) refuse("BPE with byte_fallback", where);
    if (optional<double>(json, "dropout", 0, where) != 0) refuse("BPE with dropout", where);
    parts.wholeWordsFirst = optional<bool>(json, "ignore_merges", false, where);
    if (!given(json, "merges")) throw Error("\"merges\" is missing", where);
    auto model =
        std::make_shared<const BpeModel>(readVocabulary(vocab, where), readMerges(json["merges"], where), where);
    if (given(json, "unk_token")) parts.unknown = model->find(required<std::string>(json, "unk_token", where));
    return model;
}

// Pre-tokenizers in order; a ByteLevel among them says that words are spelled in byte letters.
void readPreTokenizer(const Json& json, BpeParts& parts, bool& byteLevel, const std::string& where) {
    const std::string type = typeOf(json, where);
    if (type == "Sequence") {
        if (!given(json, "pretokenizers") || !json["pretokenizers"].is_array())
            throw Error("\"pretokenizers\" is not a list", where);
        for (const Json& part : json["pretokenizers"]) readPreTokenizer(part, parts, byteLevel, where);
    } else if (type == "ByteLevel") {
        if (byteLevel) refuse("a second ByteLevel", where);
        byteLevel = true;
        if (optional<bool>(json, "add_prefix_space", true, where)) {
            if (!parts.splits.empty()) refuse("ByteLevel with add_prefix_space behind another pre-tokenizer", where);
            parts.addPrefixSpace = true;
        }
        if (optional<bool>(json, "use_regex", true, where)) parts.splits.emplace_back(gpt2Pattern(), "GPT-2's pattern");
    } else if (type == "Split") {
        if (byteLevel) refuse("Split behind ByteLevel", where);
        const std::string behavior = required<std::string>(json, "behavior", where);
        if (behavior != "Isolated" || optional<bool>(json, "invert", false, where))
            refuse("Split with behaviour " + behavior, where);
        if (!given(json, "pattern") || !given(json["pattern"], "Regex")) refuse("Split without a regular expression", where);
        parts.splits.emplace_back(required<std::string>(json["pattern"], "Regex", where), where + ": pattern");
    } else {
        refuse(type, where);
    }
}

void readTemplate(const Json& json, BpeParts& parts, const std::string& where) {
    if (!given(json, "single") || !json["single"].is_array()) throw Error("\"single\" is not a list", where);
    bool behind = false;
    for (const Json& step : json["single"]) {
        if (given(step, "Sequence")) {
            behind = true;
            continue;
        }
        if (!given(step, "SpecialToken")) throw Error("a template step is neither Sequence nor SpecialToken", where);
        const std::string name = required<std::string>(step["SpecialToken"], "id", where);
        if (!given(json, "special_tokens") || !given(json["special_tokens"], name.c_str()) ||
            !given(json["special_tokens"][name], "ids") || !json["special_tokens"][name]["ids"].is_array())
            throw Error("the template names " + name + ", which \"special_tokens\" does not define", where);
        for (const Json& id : json["special_tokens"][name]["ids"])
            (behind ? parts.suffix : parts.prefix).push_back(checkedId(id, 1 << 30, where));
    }
}

void readPostProcessor(const Json& json, BpeParts& parts, const std::string& where) {
    const std::string type = typeOf(json, where);
    if (type == "Sequence") {
        if (!given(json, "processors") || !json["processors"].is_array()) throw Error("\"processors\" is not a list", where);
        for (const Json& part : json["processors"]) readPostProcessor(part, parts, where);
    } else if (type == "TemplateProcessing") {
        readTemplate(json, parts, where);
    } else if (type != "ByteLevel") {  // ByteLevel only trims offsets, which are not kept
        refuse(type, where);
    }
}

void readAdded(const Json& list, BpeParts& parts, const std::string& where) {
    if (!list.is_array()) throw Error("\"added_tokens\" is not a list", where);
    for (const Json& entry : list) {
        if (!entry.is_object()) throw Error("an added token is not an object", where);
        AddedToken token = addedTokenFrom(entry, where);
        if (!entry.contains("id")) throw Error("an added token has no id", where);
        token.id = checkedId(entry["id"], parts.model->size() + 100'000, where);
        parts.added.add(std::move(token));
    }
}

}  // namespace

std::shared_ptr<const Tokenizer> openTokenizerJson(const fs::path& file) {
    const std::string where = file.string();
    SortedJson whole = readSortedJson(file);
    if (!whole.is_object()) throw Error("expected a JSON object", where);
    SortedJson vocab;  // apart from the rest, which is read as ordered Json
    if (whole.contains("model") && whole["model"].is_object() && whole["model"].contains("vocab"))
        vocab.swap(whole["model"]["vocab"]);
    const Json json = whole;
    BpeParts parts;
    if (given(json, "normalizer")) refuse("normalizer " + typeOf(json["normalizer"], where), where);
    bool byteLevel = false;
    if (given(json, "pre_tokenizer")) readPreTokenizer(json["pre_tokenizer"], parts, byteLevel, where + ": pre_tokenizer");
    parts.model = readModel(given(json, "model") ? json["model"] : Json(), vocab, parts, where + ": model");
    if (!byteLevel) refuse("BPE without a ByteLevel pre-tokenizer", where);
    if (given(json, "added_tokens")) readAdded(json["added_tokens"], parts, where + ": added_tokens");
    if (given(json, "post_processor")) readPostProcessor(json["post_processor"], parts, where + ": post_processor");

    const TokenizerSettings settings = readTokenizerSettings(file.parent_path());
    const auto special = [&](const std::string& content) {
        const AddedToken* token = content.empty() ? nullptr : parts.added.byContent(content);
        return token ? token->id : content.empty() ? -1 : parts.model->find(content);
    };
    parts.bos = special(settings.bos);
    if (parts.bos < 0 && !parts.prefix.empty()) parts.bos = parts.prefix[0];
    parts.eos = special(settings.eos);
    if (parts.eos < 0) parts.eos = special("</s>");
    if (parts.unknown < 0) parts.unknown = -1;
    parts.name = "Byte-level BPE (tokenizer.json)";
    return std::make_shared<BpeTokenizer>(std::move(parts));
}

}  // namespace owq
