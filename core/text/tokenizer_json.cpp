// SPDX-License-Identifier: Apache-2.0
#include "core/base/file.h"
#include "core/text/bpe_files.h"
#include "core/text/json_models.h"
#include "core/text/json_parts.h"
#include "core/text/limits.h"
#include "core/text/pipeline_tokenizer.h"
#include "core/text/token_checks.h"
#include "core/text/tokenizer_settings.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

void readTemplate(const Json& json, TokenizerParts& parts, const std::string& where) {
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
        if (parts.prefix.size() + parts.suffix.size() > limits::kTemplateTokens)
            throw Error("the template puts more than " + std::to_string(limits::kTemplateTokens) + " tokens around a text", where);
    }
}

void readPostProcessor(const Json& json, TokenizerParts& parts, const std::string& where) {
    eachPart(json, "processors", where, [&](const std::string& type, const Json& part) {
        if (type == "TemplateProcessing") readTemplate(part, parts, where);
        else if (type != "ByteLevel") refusePart("post-processor " + type, where);  // ByteLevel only trims offsets, which are not kept
    });
}

void readAdded(const Json& list, TokenizerParts& parts, const std::string& where) {
    if (!list.is_array()) throw Error("\"added_tokens\" is not a list", where);
    for (const Json& entry : list) {
        if (!entry.is_object()) throw Error("an added token is not an object", where);
        AddedToken token = addedTokenFrom(entry, where);
        if (!entry.contains("id")) throw Error("an added token has no id", where);
        token.id = checkedId(entry["id"], parts.model->size() + limits::kIdsBehindVocabulary, where);
        if (!token.normalized) {
            parts.added.add(std::move(token));
            continue;
        }
        if (const std::string content = parts.normalizer(token.content); content != token.content)
            throw Error("added token \"" + token.content.substr(0, 80) + "\" is looked for in normalized text, and itself changes there; this is not supported", where);
        parts.addedNormalized.add(std::move(token));
    }
}

}  // namespace

std::shared_ptr<const Tokenizer> openTokenizerJson(const fs::path& file) {
    refusePointer(file);
    const std::string where = file.string();
    SortedJson whole = readSortedJson(file);
    if (!whole.is_object()) throw Error("expected a JSON object", where);
    SortedJson vocab;  // apart from the rest, which is read as ordered Json
    if (whole.contains("model") && whole["model"].is_object() && whole["model"].contains("vocab"))
        vocab.swap(whole["model"]["vocab"]);
    const Json json = whole;
    TokenizerParts parts;
    if (given(json, "normalizer")) parts.normalizer = Normalizer(json["normalizer"], where + ": normalizer");
    if (given(json, "pre_tokenizer")) parts.preTokenizer = PreTokenizer(json["pre_tokenizer"], where + ": pre_tokenizer");
    parts.model = readJsonModel(given(json, "model") ? json["model"] : Json(), vocab, parts.preTokenizer.endsInBytes(), where + ": model");
    if (given(json, "added_tokens")) readAdded(json["added_tokens"], parts, where + ": added_tokens");
    if (given(json, "post_processor")) readPostProcessor(json["post_processor"], parts, where + ": post_processor");
    if (given(json, "decoder")) parts.decoder = PieceDecoder(json["decoder"], where + ": decoder");
    else if (parts.preTokenizer.endsInBytes()) parts.decoder = PieceDecoder::byteLevel();
    else if (parts.preTokenizer.hasMetaspace()) parts.decoder = PieceDecoder::metaspace();

    const TokenizerSettings settings = readTokenizerSettings(file.parent_path());
    const auto special = [&](const std::string& content) {
        if (content.empty()) return -1;
        const AddedToken* token = parts.added.byContent(content);
        if (!token) token = parts.addedNormalized.byContent(content);
        return token ? token->id : parts.model->find(content);
    };
    parts.bos = special(settings.bos);
    if (parts.bos < 0 && !parts.prefix.empty()) parts.bos = parts.prefix[0];
    parts.eos = special(settings.eos);
    if (parts.eos < 0) parts.eos = special("</s>");
    parts.name = parts.model->name() + " (tokenizer.json)";
    return std::make_shared<PipelineTokenizer>(std::move(parts));
}

}  // namespace owq
