// SPDX-License-Identifier: Apache-2.0
#include "core/base/json.h"

#include <cmath>
#include <set>
#include <vector>

#include "core/base/file.h"

namespace owq {
namespace {

// Walks the text once without building anything: depth, duplicate keys and numbers out of range are refused
// before the parser allocates by them.
class Checker : public nlohmann::json_sax<Json> {
public:
    explicit Checker(const JsonLimits& limits) : limits_(limits) {}
    std::string problem;

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t v, const string_t& text) override {
        return std::isfinite(v) || fail("number " + text.substr(0, 40) + " is out of range");
    }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override {
        keys_.emplace_back();
        return deeper();
    }
    bool end_object() override {
        keys_.pop_back();
        --depth_;
        return true;
    }
    bool start_array(std::size_t) override { return deeper(); }
    bool end_array() override {
        --depth_;
        return true;
    }
    bool key(string_t& name) override {
        return keys_.back().insert(name).second || limits_.allowDuplicateKeys ||
               fail("key \"" + name.substr(0, 80) + "\" appears twice");
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
        return fail("not valid JSON at byte " + std::to_string(position) + " (" + tidy(e.what()) + ")");
    }

private:
    static std::string tidy(std::string text) {
        const auto colon = text.find("] ");
        if (colon != std::string::npos) text.erase(0, colon + 2);
        return text.substr(0, 160);
    }
    bool fail(std::string text) {
        if (problem.empty()) problem = std::move(text);
        return false;
    }
    bool deeper() { return ++depth_ <= limits_.depth || fail("nested deeper than " + std::to_string(limits_.depth)); }

    JsonLimits limits_;
    int depth_ = 0;
    std::vector<std::set<std::string>> keys_;
};

[[noreturn]] void wrongType(const char* key, const char* expected, const std::string& where) {
    throw Error(std::string("\"") + key + "\" is not " + expected, where);
}

const Json& member(const Json& object, const char* key, const std::string& where) {
    if (!object.is_object()) throw Error("expected a JSON object", where);
    const auto it = object.find(key);
    if (it == object.end()) throw Error(std::string("\"") + key + "\" is missing", where);
    return *it;
}

void check(std::string_view text, const std::string& where, const JsonLimits& limits) {
    if (text.size() > limits.bytes)
        throw Error("JSON text of " + std::to_string(text.size()) + " bytes is over the limit of " +
                        std::to_string(limits.bytes), where);
    if (text.starts_with("\xef\xbb\xbf")) throw Error("not valid JSON: the text begins with a byte order mark", where);
    Checker checker(limits);
    const bool good = Json::sax_parse(text.begin(), text.end(), &checker);
    if (!good) throw Error(checker.problem.empty() ? "not valid JSON" : checker.problem, where);
}

}  // namespace

Json parseJson(std::string_view text, const std::string& where, const JsonLimits& limits) {
    check(text, where, limits);
    return Json::parse(text.begin(), text.end());
}

SortedJson readSortedJson(const std::filesystem::path& file, const JsonLimits& limits) {
    const std::string text = readText(file, limits.bytes);
    check(text, file.string(), limits);
    return SortedJson::parse(text.begin(), text.end());
}

Json readJson(const std::filesystem::path& file, const JsonLimits& limits) {
    return parseJson(readText(file, limits.bytes), file.string(), limits);
}

void writeJson(const std::filesystem::path& file, const Json& value) {
    writeText(file, value.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

template <>
bool required<bool>(const Json& object, const char* key, const std::string& where) {
    const Json& v = member(object, key, where);
    if (!v.is_boolean()) wrongType(key, "true or false", where);
    return v.get<bool>();
}
template <>
int64_t required<int64_t>(const Json& object, const char* key, const std::string& where) {
    const Json& v = member(object, key, where);
    if (v.is_number_unsigned() && v.get<uint64_t>() <= uint64_t(INT64_MAX)) return int64_t(v.get<uint64_t>());
    if (v.is_number_integer() && !v.is_number_unsigned()) return v.get<int64_t>();
    wrongType(key, "a whole number", where);
}
template <>
double required<double>(const Json& object, const char* key, const std::string& where) {
    const Json& v = member(object, key, where);
    if (!v.is_number() || !std::isfinite(v.get<double>())) wrongType(key, "a number", where);
    return v.get<double>();
}
template <>
std::string required<std::string>(const Json& object, const char* key, const std::string& where) {
    const Json& v = member(object, key, where);
    if (!v.is_string()) wrongType(key, "a text", where);
    return v.get<std::string>();
}

}  // namespace owq
