// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace owq {

/// Keeps the order of keys, so that what we write is stable and what people wrote stays readable.
using Json = nlohmann::ordered_json;

struct JsonLimits {
    size_t bytes = 256u << 20;
    int depth = 64;
    bool allowDuplicateKeys = false;
};

/// Strict parse of untrusted text (UTF-8, no comments, no NaN, one value, within limits). `where` names the source in errors.
Json parseJson(std::string_view text, const std::string& where, const JsonLimits& limits = {});
Json readJson(const std::filesystem::path& file, const JsonLimits& limits = {});
/// Keys sorted instead of kept in order: for objects of very many keys (vocabularies), on which Json takes quadratic time.
using SortedJson = nlohmann::json;
SortedJson readSortedJson(const std::filesystem::path& file, const JsonLimits& limits = {});
/// Indented by one space, written to a temporary name, synced and renamed.
void writeJson(const std::filesystem::path& file, const Json& value);

/// value[key] as T; Error naming `where` and the key when it is missing or of another type. Numbers must be finite and fit T.
template <class T>
T required(const Json& object, const char* key, const std::string& where);
/// The same, or `fallback` when the key is missing or null.
template <class T>
T optional(const Json& object, const char* key, T fallback, const std::string& where) {
    if (!object.is_object() || !object.contains(key) || object.at(key).is_null()) return fallback;
    return required<T>(object, key, where);
}
template <>
bool required<bool>(const Json&, const char*, const std::string&);
template <>
int64_t required<int64_t>(const Json&, const char*, const std::string&);
template <>
double required<double>(const Json&, const char*, const std::string&);
template <>
std::string required<std::string>(const Json&, const char*, const std::string&);

}  // namespace owq
