// SPDX-License-Identifier: Apache-2.0
#include "core/text/tokenizer_settings.h"

#include "core/text/limits.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

std::optional<bool> flag(const Json& config, const char* key, const std::string& where) {
    if (!config.contains(key) || config.at(key).is_null()) return std::nullopt;
    return required<bool>(config, key, where);
}

Json readObject(const fs::path& file) {
    if (!fs::exists(file)) return Json::object();
    Json value = readJson(file);
    if (!value.is_object()) throw Error("expected a JSON object", file.string());
    return value;
}

void readNamed(TokenizerSettings& settings, const Json& object, const std::string& where) {
    const auto named = [&](const char* key, std::string& content) {
        if (!object.contains(key) || object.at(key).is_null() || object.at(key).is_boolean()) return;
        AddedToken token = addedTokenFrom(object.at(key), where + ": " + key);
        if (content.empty()) content = token.content;
        settings.tokens.push_back(std::move(token));
    };
    named("bos_token", settings.bos);
    named("eos_token", settings.eos);
    named("unk_token", settings.unknown);
    named("pad_token", settings.pad);
    if (const auto more = object.find("additional_special_tokens"); more != object.end() && more->is_array())
        for (const Json& value : *more)
            settings.tokens.push_back(addedTokenFrom(value, where + ": additional_special_tokens"));
}

}  // namespace

AddedToken addedTokenFrom(const Json& value, const std::string& where) {
    AddedToken token;
    if (value.is_string()) {
        token.content = value.get<std::string>();
        return token;
    }
    if (!value.is_object()) throw Error("a token is neither a text nor an object", where);
    token.content = required<std::string>(value, "content", where);
    token.special = optional<bool>(value, "special", true, where);
    token.leftStrip = optional<bool>(value, "lstrip", false, where);
    token.rightStrip = optional<bool>(value, "rstrip", false, where);
    token.singleWord = optional<bool>(value, "single_word", false, where);
    token.normalized = optional<bool>(value, "normalized", !token.special, where);
    return token;
}

int32_t checkedId(const Json& value, int64_t limit, const std::string& where) {
    if (!value.is_number_integer()) throw Error("a token id is not a whole number", where);
    const bool fits = value.is_number_unsigned() ? value.get<uint64_t>() < uint64_t(limit)
                                                 : value.get<int64_t>() >= 0 && value.get<int64_t>() < limit;
    if (!fits) throw Error("token id " + value.dump() + " is out of range (below " + std::to_string(limit) + ")", where);
    return value.get<int32_t>();
}

TokenizerSettings readTokenizerSettings(const fs::path& folder) {
    TokenizerSettings settings;
    const fs::path configFile = folder / "tokenizer_config.json";
    const Json config = readObject(configFile);
    const std::string where = configFile.string();

    settings.tokenizerClass = optional<std::string>(config, "tokenizer_class", "", where);
    if (settings.tokenizerClass.ends_with("Fast")) settings.tokenizerClass.resize(settings.tokenizerClass.size() - 4);
    settings.addBos = flag(config, "add_bos_token", where);
    settings.addEos = flag(config, "add_eos_token", where);
    settings.legacy = flag(config, "legacy", where);
    settings.addPrefixSpace = flag(config, "add_prefix_space", where);
    readNamed(settings, config, where);
    if (const auto decoder = config.find("added_tokens_decoder"); decoder != config.end() && decoder->is_object())
        for (const auto& [id, value] : decoder->items()) {
            AddedToken token = addedTokenFrom(value, where + ": added_tokens_decoder");
            if (id.empty() || id.size() > 9 || id.find_first_not_of("0123456789") != std::string::npos)
                throw Error("\"" + id.substr(0, 40) + "\" is not a token id", where + ": added_tokens_decoder");
            token.id = checkedId(Json(std::stoll(id)), limits::kTokenId, where + ": added_tokens_decoder");
            settings.tokens.push_back(std::move(token));
        }

    const fs::path mapFile = folder / "special_tokens_map.json";
    readNamed(settings, readObject(mapFile), mapFile.string());

    const fs::path addedFile = folder / "added_tokens.json";
    const Json addedObject = readObject(addedFile);
    for (const auto& [content, id] : addedObject.items()) {
        AddedToken token;
        token.content = content;
        token.special = false;
        token.id = checkedId(id, limits::kTokenId, addedFile.string());
        settings.tokens.push_back(std::move(token));
    }

    const fs::path modelFile = folder / "config.json";
    const Json model = readObject(modelFile);
    if (model.contains("model_type") && model["model_type"].is_string())
        settings.modelType = model["model_type"].get<std::string>();
    return settings;
}

AddedTokens resolveTokens(const TokenizerSettings& settings, const std::function<int32_t(const std::string&)>& idOf) {
    AddedTokens result;
    for (AddedToken token : settings.tokens) {
        if (token.id < 0) token.id = idOf(token.content);
        const AddedToken* known = result.byContent(token.content);
        if (token.id < 0 && known) token.id = known->id;
        if (token.id < 0) continue;  // named, but in no vocabulary: the model has no row for it
        if (known) token.special = token.special || known->special;
        result.add(std::move(token));
    }
    return result;
}

}  // namespace owq
