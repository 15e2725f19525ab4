// SPDX-License-Identifier: Apache-2.0
#include "core/text/normalizer.h"

#include "core/text/json_parts.h"
#include "core/text/limits.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

void requireProportion(size_t size, size_t before, const std::string& where) {
    if (size > before * limits::kNormalizedGrowth + limits::kNormalizedSlack)
        throw Error("the normalized text is more than " + std::to_string(limits::kNormalizedGrowth) + " times as long as the text", where);
}

std::string strip(std::string_view text, bool left, bool right) {
    if (left)
        while (const size_t space = leadingSpace(text)) text.remove_prefix(space);
    if (right)
        while (const size_t space = trailingSpace(text)) text.remove_suffix(space);
    return std::string(text);
}

std::string replace(const std::string& text, const Pattern& pattern, const std::string& content, const std::string& where) {
    std::string result;
    pattern.split(text, [&](std::string_view stretch, bool isMatch) {
        result += isMatch ? std::string_view(content) : stretch;
        requireProportion(result.size(), text.size(), where);
    });
    return result;
}

}  // namespace

Normalizer::Normalizer(const Json& json, const std::string& where) {
    eachPart(json, "normalizers", where, [&](const std::string& type, const Json& part) {
        static const std::pair<const char*, NormalForm> kForms[] = {
            {"NFC", NormalForm::c}, {"NFD", NormalForm::d}, {"NFKC", NormalForm::kc}, {"NFKD", NormalForm::kd}};
        for (const auto& [name, form] : kForms)
            if (type == name) return steps_.push_back([form = form](const std::string& text) { return normalizeUnicode(text, form); });
        if (type == "Lowercase") {
            steps_.push_back([](const std::string& text) { return lowercase(text); });
        } else if (type == "Strip") {
            const bool left = optional<bool>(part, "strip_left", true, where), right = optional<bool>(part, "strip_right", true, where);
            steps_.push_back([left, right](const std::string& text) { return strip(text, left, right); });
        } else if (type == "Prepend") {
            const std::string prefix = required<std::string>(part, "prepend", where);
            steps_.push_back([prefix](const std::string& text) { return text.empty() ? text : prefix + text; });
        } else if (type == "Replace") {
            const std::string content = required<std::string>(part, "content", where);
            steps_.push_back([pattern = Pattern(part, where), content, where](const std::string& text) {
                return replace(text, pattern, content, where);
            });
        } else {
            refusePart("normalizer " + type, where);
        }
    });
    if (steps_.size() > limits::kSteps) throw Error("more than " + std::to_string(limits::kSteps) + " steps", where);
}

std::string Normalizer::operator()(std::string_view utf8) const {
    std::string text(utf8);
    for (const auto& step : steps_) {
        text = step(text);
        requireProportion(text.size(), utf8.size(), "normalizer");
    }
    return text;
}

}  // namespace owq
