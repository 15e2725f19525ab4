// SPDX-License-Identifier: Apache-2.0
#include "core/text/utf8.h"

#include <algorithm>
#include <cstdint>

#include "core/base/error.h"

namespace owq {
namespace {

struct Sequence {
    size_t length;  ///< bytes of the character, or of the ill-formed part
    bool valid;
};

// Table 3-7 of the Unicode standard: the first byte decides the length and the range of the second.
Sequence sequenceAt(std::string_view text, size_t at) {
    const auto byte = [&](size_t i) { return i < text.size() ? uint8_t(text[i]) : uint8_t(0); };
    const uint8_t first = byte(at);
    if (first < 0x80) return {1, true};
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) return {1, false};
    uint8_t low = 0x80, high = 0xbf;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    for (size_t i = 1; i < length; ++i, low = 0x80, high = 0xbf)
        if (byte(at + i) < low || byte(at + i) > high) return {i, false};
    return {length, true};
}

constexpr std::string_view kSpaces[] = {
    "\t", "\n", "\v", "\f", "\r", " ", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
    "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

}  // namespace

size_t invalidUtf8(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
        if (uint8_t(text[at]) < 0x80) {
            ++at;
            continue;
        }
        const Sequence sequence = sequenceAt(text, at);
        if (!sequence.valid) return at;
        at += sequence.length;
    }
    return std::string_view::npos;
}

void requireUtf8(std::string_view text, const std::string& where) {
    const size_t at = invalidUtf8(text);
    if (at == std::string_view::npos) return;
    throw Error("not valid UTF-8 at byte " + std::to_string(at), where, "Convert the text to UTF-8");
}

std::string replaceInvalidUtf8(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (size_t at = 0; at < text.size();) {
        const Sequence sequence = sequenceAt(text, at);
        result += sequence.valid ? text.substr(at, sequence.length) : std::string_view("\xef\xbf\xbd");
        at += sequence.length;
    }
    return result;
}

size_t leadingSpace(std::string_view text) {
    for (std::string_view space : kSpaces)
        if (text.starts_with(space)) return space.size();
    return 0;
}

size_t trailingSpace(std::string_view text) {
    for (std::string_view space : kSpaces)
        if (text.ends_with(space)) return space.size();
    return 0;
}

}  // namespace owq
