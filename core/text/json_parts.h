// SPDX-License-Identifier: Apache-2.0
// What the readers of tokenizer.json's parts share.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "core/base/json.h"
#include "core/text/regex.h"

namespace owq {

/// Throws Error: "WHAT is not supported".
[[noreturn]] void refusePart(const std::string& what, const std::string& where);
/// Its "type".
std::string partType(const Json& part, const std::string& where);
bool given(const Json& object, const char* key);  ///< there and not null

/// Calls `read` for a part, or for each part of a "Sequence" whose list is called `list`, in order.
void eachPart(const Json& part, const char* list, const std::string& where, const std::function<void(const std::string& type, const Json&)>& read);

/// What a Split or a Replace looks for: a text ("String") or a regular expression ("Regex").
class Pattern {
public:
    Pattern(const Json& part, const std::string& where);  ///< reads `part`["pattern"]
    /// Stretches of the text in order, and whether each is a match; no empty ones.
    void split(std::string_view utf8, const std::function<void(std::string_view text, bool isMatch)>& piece) const;

private:
    std::string text_;
    std::optional<Regex> regex_;
};

}  // namespace owq
