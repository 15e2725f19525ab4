// SPDX-License-Identifier: Apache-2.0
// What the small JSON files beside a vocabulary say about special tokens.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/text/added_tokens.h"

namespace owq {

/// From tokenizer_config.json, special_tokens_map.json and added_tokens.json; the first wins where they differ.
struct TokenizerSettings {
    std::string tokenizerClass;  ///< "GPT2Tokenizer", without "Fast" at its end
    std::string modelType;       ///< of config.json
    std::optional<bool> addBos, addEos, legacy, addPrefixSpace;
    std::string bos, eos, unknown, pad;   ///< contents; empty when none is named
    std::vector<AddedToken> tokens;       ///< special and added ones; id -1 where only the vocabulary knows it
};

/// Settings of a folder; missing files are fine, damaged ones are Errors.
TokenizerSettings readTokenizerSettings(const std::filesystem::path& folder);

/// The added-token object or text of a configuration.
AddedToken addedTokenFrom(const Json& value, const std::string& where);

/// All tokens of `settings` whose id is given or known to `idOf` (-1: not in the vocabulary).
AddedTokens resolveTokens(const TokenizerSettings& settings, const std::function<int32_t(const std::string&)>& idOf);

/// Throws Error unless 0 <= id < `limit`: ids size tables, so a damaged one must not get through.
int32_t checkedId(const Json& value, int64_t limit, const std::string& where);

}  // namespace owq
