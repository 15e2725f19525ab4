// SPDX-License-Identifier: Apache-2.0
#include "core/text/pre_tokenizer.h"

#include "core/text/byte_level.h"
#include "core/text/json_parts.h"
#include "core/text/limits.h"
#include "core/text/unicode.h"

namespace owq {
namespace {

using Stretch = std::function<void(std::string_view text, bool isMatch)>;
using Finder = std::function<void(std::string_view text, const Stretch& stretch)>;

enum class Behavior { isolated, removed, contiguous, withPrevious, withNext };

Behavior behaviorOf(const Json& part, const std::string& fallback, const std::string& where) {
    const std::string name = optional<std::string>(part, "behavior", fallback, where);
    static const std::pair<const char*, Behavior> kNames[] = {{"Isolated", Behavior::isolated},
                                                              {"Removed", Behavior::removed},
                                                              {"Contiguous", Behavior::contiguous},
                                                              {"MergedWithPrevious", Behavior::withPrevious},
                                                              {"MergedWithNext", Behavior::withNext}};
    for (const auto& [known, value] : kNames)
        if (name == known) return value;
    refusePart("Split with behaviour " + name, where);
}

// Gives out the stretches that `find` tells apart, joined as `behavior` says.
void splitBy(const Finder& find, Behavior behavior, bool invert, std::string_view text, const std::function<void(std::string_view)>& piece) {
    std::string_view held;  // a piece that may still grow
    bool heldIsMatch = false;
    const auto flush = [&] {
        if (!held.empty()) piece(held);
        held = {};
    };
    find(text, [&](std::string_view stretch, bool found) {
        const bool isMatch = found != invert;
        if (behavior == Behavior::isolated) return piece(stretch);
        if (behavior == Behavior::removed) return isMatch ? void() : piece(stretch);
        const bool joins = !held.empty() && (behavior == Behavior::contiguous     ? isMatch == heldIsMatch
                                             : behavior == Behavior::withPrevious ? isMatch && !heldIsMatch
                                                                                  : !isMatch && heldIsMatch);
        if (joins) {
            held = std::string_view(held.data(), held.size() + stretch.size());
        } else {
            flush();
            held = stretch;
        }
        heldIsMatch = isMatch;
    });
    flush();
}

Finder characters(bool (*isMatch)(int32_t)) {
    return [isMatch](std::string_view text, const Stretch& stretch) {
        size_t from = 0;
        for (size_t at = 0; at < text.size();) {
            const Character c = firstCharacter(text.substr(at));
            if (isMatch(c.point)) {
                if (at > from) stretch(text.substr(from, at - from), false);
                stretch(text.substr(at, c.bytes), true);
                from = at + c.bytes;
            }
            at += c.bytes;
        }
        if (from < text.size()) stretch(text.substr(from), false);
    };
}

enum class Prepend { never, first, always };

Prepend prependOf(const Json& part, const std::string& where) {
    if (!optional<bool>(part, "add_prefix_space", true, where)) return Prepend::never;  // the older spelling
    const std::string scheme = optional<std::string>(part, "prepend_scheme", "always", where);
    if (scheme == "always") return Prepend::always;
    if (scheme == "first") return Prepend::first;
    if (scheme == "never") return Prepend::never;
    refusePart("Metaspace with prepend_scheme " + scheme, where);
}

}  // namespace

const std::string& gpt2Pattern() {
    static const std::string pattern =
        R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
    return pattern;
}

PreTokenizer::PreTokenizer(const Json& json, const std::string& where) {
    eachPart(json, "pretokenizers", where, [&](const std::string& type, const Json& part) { add(type, part, where); });
    if (steps_.size() > limits::kSteps) throw Error("more than " + std::to_string(limits::kSteps) + " steps", where);
}

PreTokenizer PreTokenizer::gpt2(bool addPrefixSpace) {
    PreTokenizer result;
    result.addByteLevel(addPrefixSpace, true);
    return result;
}

// A step behind ByteLevel sees its letters after all.
void PreTokenizer::endBytes() {
    if (!endsInBytes_) return;
    endsInBytes_ = false;
    steps_.push_back([](std::string_view text, bool atStart, Kept& kept, const Piece& piece) {
        std::string letters;
        for (char c : text) letters += byteLetters()[uint8_t(c)];
        piece(kept.emplace_back(std::move(letters)), atStart);
    });
}

void PreTokenizer::addByteLevel(bool addPrefixSpace, bool cutWords) {
    endBytes();
    if (addPrefixSpace)
        steps_.push_back([](std::string_view text, bool atStart, Kept& kept, const Piece& piece) {
            piece(text.starts_with(' ') ? text : kept.emplace_back(" " + std::string(text)), atStart);
        });
    if (cutWords)
        steps_.push_back([regex = Regex(gpt2Pattern(), "GPT-2's pattern")](std::string_view text, bool atStart, Kept&, const Piece& piece) {
            regex.split(text, [&](std::string_view word, bool) { piece(word, atStart && word.data() == text.data()); });
        });
    endsInBytes_ = true;
}

void PreTokenizer::add(const std::string& type, const Json& part, const std::string& where) {
    if (type == "ByteLevel")
        return addByteLevel(optional<bool>(part, "add_prefix_space", true, where), optional<bool>(part, "use_regex", true, where));
    endBytes();
    if (type == "Metaspace") {
        const std::string space = optional<std::string>(part, "replacement", "\xe2\x96\x81", where);
        if (space.empty() || firstCharacter(space).bytes != space.size()) throw Error("\"replacement\" is not one character", where);
        const Prepend prepend = prependOf(part, where);
        const bool split = optional<bool>(part, "split", true, where);
        hasMetaspace_ = true;
        steps_.push_back([=](std::string_view text, bool atStart, Kept& kept, const Piece& piece) {
            std::string spelled;
            for (char c : text) c == ' ' ? spelled += space : spelled += c;
            if ((prepend == Prepend::always || (prepend == Prepend::first && atStart)) && !spelled.starts_with(space))
                spelled.insert(0, space);
            const std::string_view whole = kept.emplace_back(std::move(spelled));
            for (size_t from = 0; from < whole.size();) {  // each replacement begins a word
                const size_t end = split ? std::min(whole.find(space, from + 1), whole.size()) : whole.size();
                piece(whole.substr(from, end - from), atStart && from == 0);
                from = end;
            }
        });
        return;
    }
    Finder find;
    Behavior behavior = Behavior::isolated;
    bool invert = false;
    if (type == "Split") {
        if (!given(part, "behavior")) throw Error("\"behavior\" is missing", where);
        find = [pattern = Pattern(part, where)](std::string_view text, const Stretch& stretch) { pattern.split(text, stretch); };
        behavior = behaviorOf(part, "", where);
        invert = optional<bool>(part, "invert", false, where);
    } else if (type == "Digits") {
        find = characters(isNumber);
        if (!optional<bool>(part, "individual_digits", false, where)) behavior = Behavior::contiguous;
    } else if (type == "Punctuation") {
        find = characters(isPunctuation);
        behavior = behaviorOf(part, "Isolated", where);
    } else {
        refusePart("pre-tokenizer " + type, where);
    }
    steps_.push_back([=](std::string_view text, bool atStart, Kept&, const Piece& piece) {
        splitBy(find, behavior, invert, text, [&](std::string_view word) { piece(word, atStart && word.data() == text.data()); });
    });
}

void PreTokenizer::cut(std::string_view text, bool atStart, Kept& kept, const Piece& word, size_t step) const {
    if (text.empty()) return;
    if (step == steps_.size()) return word(text, atStart);
    steps_[step](text, atStart, kept, [&](std::string_view piece, bool first) { cut(piece, first, kept, word, step + 1); });
}

}  // namespace owq
