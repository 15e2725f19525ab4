// SPDX-License-Identifier: Apache-2.0
#include "core/text/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "core/base/error.h"
#include "core/text/limits.h"

namespace owq {
namespace {

void appendCharacter(int32_t point, std::string& out) {
    utf8proc_uint8_t bytes[4];
    out.append(reinterpret_cast<const char*>(bytes), size_t(utf8proc_encode_char(point, bytes)));
}

void requireFewMarks(std::string_view text) {
    size_t marks = 0;
    for (size_t at = 0; at < text.size();) {
        if (uint8_t(text[at]) < 0x80) {
            marks = 0;
            ++at;
            continue;
        }
        const Character c = firstCharacter(text.substr(at));
        marks = utf8proc_get_property(c.point)->combining_class ? marks + 1 : 0;
        if (marks > limits::kMarksInARow)
            throw Error("more than " + std::to_string(limits::kMarksInARow) + " combining marks in a row at byte " + std::to_string(at), "text");
        at += c.bytes;
    }
}

bool isAscii(std::string_view text) {
    for (char c : text)
        if (uint8_t(c) >= 0x80) return false;
    return true;
}

}  // namespace

std::string normalizeUnicode(std::string_view text, NormalForm form) {
    if (isAscii(text)) return std::string(text);
    requireFewMarks(text);
    int options = UTF8PROC_STABLE;
    options |= form == NormalForm::c || form == NormalForm::kc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
    if (form == NormalForm::kc || form == NormalForm::kd) options |= UTF8PROC_COMPAT;
    utf8proc_uint8_t* mapped = nullptr;
    const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), utf8proc_ssize_t(text.size()),
                                               &mapped, utf8proc_option_t(options));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    if (size == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
    if (size < 0) throw Error(std::string("the text cannot be normalized: ") + utf8proc_errmsg(size), "text");
    return std::string(reinterpret_cast<const char*>(mapped), size_t(size));
}

std::string lowercase(std::string_view text) {
    constexpr int32_t kDottedI = 0x130;  // the one character whose lower case is two: i and a combining dot
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Character c = firstCharacter(text);
        if (c.point == kDottedI) result += "i\xcc\x87";
        else appendCharacter(utf8proc_tolower(c.point), result);
        text.remove_prefix(c.bytes);
    }
    return result;
}

std::string titlecase(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const Character c = firstCharacter(text);
        appendCharacter(utf8proc_totitle(c.point), result);
        text.remove_prefix(c.bytes);
    }
    return result;
}

Character firstCharacter(std::string_view text) {
    const uint8_t first = uint8_t(text[0]);
    if (first < 0x80) return {first, 1};
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (text.size() < length) return {0xfffd, text.size()};
    int32_t point = first & (0xff >> (length + 1));
    for (size_t i = 1; i < length; ++i) point = point << 6 | (uint8_t(text[i]) & 0x3f);
    return {point, length};
}

Character lastCharacter(std::string_view text) {
    size_t at = text.size() - 1;
    while (at > 0 && (uint8_t(text[at]) & 0xc0) == 0x80) --at;
    return firstCharacter(text.substr(at));
}

bool isNumber(int32_t point) {
    const auto category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_NO;
}

bool isPunctuation(int32_t point) {
    if (point < 0x80) return point > 0x20 && point < 0x7f && !isWordCharacter(point == '_' ? '!' : point);
    const auto category = utf8proc_category(point);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool isWordCharacter(int32_t point) {
    switch (utf8proc_category(point)) {
        case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT: case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_MC: case UTF8PROC_CATEGORY_ME:
        case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_NL: case UTF8PROC_CATEGORY_PC: return true;
        default: return point == 0x200c || point == 0x200d;  // zero width non-joiner and joiner
    }
}

}  // namespace owq
