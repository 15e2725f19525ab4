// SPDX-License-Identifier: Apache-2.0
#include "core/text/json_parts.h"

#include "core/text/limits.h"

namespace owq {

void refusePart(const std::string& what, const std::string& where) {
    throw Error(what + " is not supported", where, "Use the model's tokenizer.model, or vocab.json and merges.txt");
}

std::string partType(const Json& part, const std::string& where) { return required<std::string>(part, "type", where); }

bool given(const Json& object, const char* key) {
    return object.is_object() && object.contains(key) && !object.at(key).is_null();
}

void eachPart(const Json& part, const char* list, const std::string& where,
              const std::function<void(const std::string& type, const Json&)>& read) {
    const std::string type = partType(part, where);
    if (type != "Sequence") return read(type, part);
    if (!given(part, list) || !part[list].is_array()) throw Error(std::string("\"") + list + "\" is not a list", where);
    if (part[list].size() > limits::kSteps)
        throw Error(std::string("\"") + list + "\" has more than " + std::to_string(limits::kSteps) + " steps", where);
    for (const Json& inner : part[list]) eachPart(inner, list, where, read);  // as deep as the JSON text may be nested
}

Pattern::Pattern(const Json& part, const std::string& where) {
    const Json pattern = given(part, "pattern") ? part["pattern"] : Json();
    if (given(pattern, "Regex")) {
        regex_.emplace(required<std::string>(pattern, "Regex", where), where + ": pattern");
    } else if (given(pattern, "String")) {
        text_ = required<std::string>(pattern, "String", where);
        if (text_.empty()) throw Error("an empty pattern", where);
    } else {
        throw Error("\"pattern\" is neither a String nor a Regex", where);
    }
}

void Pattern::split(std::string_view text, const std::function<void(std::string_view, bool)>& piece) const {
    if (regex_) return regex_->split(text, piece);
    for (size_t from = 0; from < text.size();) {
        const size_t at = std::min(text.find(text_, from), text.size());
        if (at > from) piece(text.substr(from, at - from), false);
        if (at < text.size()) piece(text.substr(at, text_.size()), true);
        from = at + text_.size();
    }
}

}  // namespace owq
