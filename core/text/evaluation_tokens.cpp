// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/text/corpus.h"
#include "core/text/documents.h"
#include "core/text/token_checks.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

constexpr std::pair<Protocol, const char*> kProtocols[] = {
    {Protocol::wikitext2, "wikitext2"}, {Protocol::ptb, "ptb"}, {Protocol::c4, "c4"}, {Protocol::plain, "plain"}};
constexpr size_t kC4Documents = 1100;
constexpr int64_t kC4Windows = 256;

std::string_view stripped(std::string_view text) {
    while (const size_t space = leadingSpace(text)) text.remove_prefix(space);
    while (const size_t space = trailingSpace(text)) text.remove_suffix(space);
    return text;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (size_t i = 0; i < parts.size(); ++i) {
        if (i) text += separator;
        text += parts[i];
    }
    return text;
}

std::vector<std::string> documentsOf(const std::filesystem::path& file, Protocol protocol) {
    return protocol == Protocol::c4 ? readDocuments(file, kC4Documents) : readDocuments(file);
}

std::string_view separatorOf(Protocol protocol) { return protocol == Protocol::c4 ? " " : "\n\n"; }

std::string joinedText(const std::filesystem::path& file, Protocol protocol) {
    switch (protocol) {
        case Protocol::wikitext2: {
            std::vector<std::string> rows = readRows(file);
            for (std::string& row : rows)
                if (stripped(row).empty()) row.clear();  // the data set's blank lines are empty rows
            return join(rows, "\n\n");
        }
        case Protocol::ptb: {
            std::vector<std::string> rows = readRows(file);
            for (std::string& row : rows) row = std::string(stripped(row));
            return std::string(stripped(join(rows, " ")));
        }
        case Protocol::c4:
        case Protocol::plain: return join(documentsOf(file, protocol), separatorOf(protocol));
    }
    return {};
}

}  // namespace

std::string protocolName(Protocol protocol) {
    for (const auto& [value, name] : kProtocols)
        if (value == protocol) return name;
    return "?";
}

Protocol protocolFromName(const std::string& name) {
    std::string known;
    for (const auto& [value, text] : kProtocols) {
        if (name == text) return value;
        known += (known.empty() ? "" : ", ") + std::string(text);
    }
    throw Error("unknown protocol \"" + name + "\"", {}, "Known are " + known);
}

void checkIds(const std::vector<int32_t>& ids, int64_t vocabulary, const std::string& where) {
    for (size_t i = 0; i < ids.size(); ++i)
        if (ids[i] < 0 || ids[i] >= vocabulary)
            throw Error("token " + std::to_string(i) + " is " + std::to_string(ids[i]) +
                            ", but the model's vocabulary has " + std::to_string(vocabulary) + " entries", where,
                        "Use the tokenizer (or the token file) that belongs to this model");
}

std::vector<int32_t> evaluationTokens(const std::filesystem::path& file, Protocol protocol, const Tokenizer& tokenizer,
                                      int64_t sequenceLength) {
    // The authors empty the list of special tokens for PTB, whose <unk> is text; plain texts are spelled out as well.
    EncodeOptions options;
    options.matchSpecial = protocol == Protocol::wikitext2 || protocol == Protocol::c4;
    std::vector<int32_t> ids = tokenizer.encode(joinedText(file, protocol), options);
    if (protocol == Protocol::c4 && sequenceLength > 0 && int64_t(ids.size()) / kC4Windows >= sequenceLength)
        ids.resize(size_t(kC4Windows * sequenceLength));
    return ids;
}

std::optional<std::vector<int64_t>> documentStarts(const std::filesystem::path& file, Protocol protocol, const Tokenizer& tokenizer,
                                                   const std::vector<int32_t>& ids) {
    if (protocol != Protocol::c4 && protocol != Protocol::plain) return std::vector<int64_t>{};
    const std::vector<std::string> documents = documentsOf(file, protocol);
    if (documents.size() < 2) return std::vector<int64_t>{};
    const std::string_view separator = separatorOf(protocol);
    // What a token adds behind another one: alone, some lose the space before them.
    const std::vector<int32_t> letter = tokenizer.encode("a", {.addSpecial = false});
    if (letter.empty()) return std::nullopt;
    // And with those that its character begins in: a byte that only goes on is none by itself.
    constexpr size_t kCharacterBytes = 4;
    std::vector<int32_t> together{letter.back()};
    const size_t alone = tokenizer.decode(together, true).size();
    std::string spelled;
    std::vector<size_t> ends;
    for (const int32_t id : ids) {
        together.push_back(id);
        const std::string added = tokenizer.decode(together, true).substr(alone);
        ends.push_back(spelled.size() + added.size());
        if (invalidUtf8(added) != std::string::npos && together.size() <= kCharacterBytes) continue;
        spelled += added;
        together.resize(1);
    }
    if (together.size() > 1) spelled += tokenizer.decode(together, true).substr(alone);
    const std::string text = join(documents, separator);
    const size_t put = std::string_view(" " + text).starts_with(spelled) ? 1 : 0;  // a space before the text
    if (!put && !text.starts_with(spelled)) return std::nullopt;
    std::vector<int64_t> starts;
    size_t at = 0;
    for (const std::string& document : documents) {
        starts.push_back(starts.empty() ? 0 : std::upper_bound(ends.begin(), ends.end(), at + put) - ends.begin());
        at += document.size() + separator.size();
    }
    return starts;
}

TokenWindows evaluationWindows(const std::vector<int32_t>& ids, int64_t sequenceLength, int64_t maxWindows,
                               int64_t vocabulary) {
    if (sequenceLength < 2) throw Error("a window needs at least 2 tokens", {}, "Give a larger sequence length");
    int64_t windows = int64_t(ids.size()) / sequenceLength;
    if (windows == 0)
        throw Error("the text has " + std::to_string(ids.size()) + " tokens, fewer than one window of " +
                        std::to_string(sequenceLength), {}, "Use a longer text or a smaller --sequence-length");
    if (maxWindows > 0) windows = std::min(windows, maxWindows);
    TokenWindows result;
    result.length = sequenceLength;
    result.ids.assign(ids.begin(), ids.begin() + ptrdiff_t(windows * sequenceLength));
    checkIds(result.ids, vocabulary, "evaluation text");
    return result;
}

}  // namespace owq
