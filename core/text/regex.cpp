// SPDX-License-Identifier: Apache-2.0
#include "core/text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/error.h"
#include "core/text/limits.h"

namespace owq {
namespace {

constexpr const char* kSpaceClass =
    R"(\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kWordClass = R"(\p{L}\p{M}\p{N}\p{Pc})";

// The patterns are written for Oniguruma. Three things differ in PCRE2. Its own \s also takes U+180E, which left
// White_Space in Unicode 6.3, and its \w lacks combining marks before version 10.43: spelled out, both are the same
// everywhere. And a class inside a class, [^(\s|[.,])], is a plain "[" to it: the members of the inner class join those
// of the outer one.
std::string translate(const std::string& pattern, const std::string& where) {
    std::string result;
    int depth = 0;  // of classes
    for (size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '\\' && i + 1 < pattern.size()) {
            const char escaped = pattern[++i];
            const std::string members = escaped == 's' || escaped == 'S' ? kSpaceClass : kWordClass;
            if (escaped == 's' || escaped == 'w')
                result += depth ? members : "[" + members + "]";
            else if ((escaped == 'S' || escaped == 'W') && !depth)
                result += "[^" + members + "]";
            else
                result += {c, escaped};
            continue;
        }
        if (depth && c == '[' && pattern.compare(i, 2, "[:") == 0) {  // [:alpha:]
            const size_t end = pattern.find(":]", i + 2);
            if (end != std::string::npos) {
                result += pattern.substr(i, end + 2 - i);
                i = end + 1;
                continue;
            }
        }
        if (depth && (pattern.compare(i, 2, "[^") == 0 || pattern.compare(i, 2, "&&") == 0))
            throw Error("pattern cannot be used: character classes are subtracted or intersected", where);
        if (c == '[' && depth++) continue;
        if (c == ']' && depth && --depth) continue;
        result += c;
        // A "]" right behind the opening of a class is a member of it.
        if (c == '[') {
            if (i + 1 < pattern.size() && pattern[i + 1] == '^') result += pattern[++i];
            if (i + 1 < pattern.size() && pattern[i + 1] == ']') result += "\\]", ++i;
        }
    }
    return result;
}

std::string message(int code) {
    char text[256] = {};
    pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR*>(text), sizeof text);
    return text;
}

template <auto release>
struct Release {
    template <class T>
    void operator()(T* p) const { release(p); }
};
using Code = std::unique_ptr<pcre2_code, Release<pcre2_code_free>>;
using Match = std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>>;
using Context = std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>>;

}  // namespace

struct Regex::Program {
    Code code;
};

Regex::Regex(const std::string& pattern, std::string where) : where_(std::move(where)) {
    if (pattern.size() > limits::kPatternBytes) throw Error("pattern is longer than 64 KiB", where_);
    const std::string spelled = translate(pattern, where_);
    int error = 0;
    PCRE2_SIZE position = 0;
    const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
    auto program = std::make_shared<Program>();
    program->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(), options, &error,
                                      &position, nullptr));
    if (!program->code) throw Error("pattern cannot be used: " + message(error), where_);
    pcre2_jit_compile(program->code.get(), PCRE2_JIT_COMPLETE);  // without it matching is slower, not different
    program_ = std::move(program);
}

void Regex::split(std::string_view text, const std::function<void(std::string_view, bool)>& piece) const {
    const pcre2_code* code = program_->code.get();
    const Match match(pcre2_match_data_create_from_pattern(code, nullptr));
    const Context context(pcre2_match_context_create(nullptr));
    if (!match || !context) throw std::bad_alloc();
    pcre2_set_match_limit(context.get(), limits::kMatchSteps);
    pcre2_set_depth_limit(context.get(), limits::kMatchDepth);
    pcre2_set_heap_limit(context.get(), limits::kMatchHeapKiB);

    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    size_t from = 0;  // end of what has been given out
    size_t start = 0;
    while (start < text.size()) {
        // The text was checked once; checking it at every match would make this quadratic.
        int found = pcre2_match(code, subject, text.size(), start, PCRE2_NO_UTF_CHECK, match.get(), context.get());
        if (found == PCRE2_ERROR_JIT_STACKLIMIT)
            found = pcre2_match(code, subject, text.size(), start, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match.get(),
                                context.get());
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0)
            throw Error("cutting the text at byte " + std::to_string(start) + " failed: " + message(found), where_);
        const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
        if (range[1] <= range[0]) {  // nothing matched: go on behind the next character
            start = std::max<size_t>(range[0], start) + 1;
            while (start < text.size() && (uint8_t(text[start]) & 0xc0) == 0x80) ++start;
            continue;
        }
        if (range[0] > from) piece(text.substr(from, range[0] - from), false);
        piece(text.substr(range[0], range[1] - range[0]), true);
        from = start = range[1];
    }
    if (from < text.size()) piece(text.substr(from), false);
}

}  // namespace owq
