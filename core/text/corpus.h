// SPDX-License-Identifier: Apache-2.0
// Texts for calibration and evaluation, and the windows cut from them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/text/tokenizer.h"

namespace owq {

/// Token windows of one length, row-major.
struct TokenWindows {
    int64_t length = 0;
    std::vector<int32_t> ids;  ///< [count(), length]
    std::vector<int64_t> documents;  ///< for each document its first token's index in the ids that the windows were cut from; empty: not told apart
    std::vector<std::string> warnings;  ///< too few tokens, repeats, share of <unk>: for a person

    int64_t count() const { return length ? int64_t(ids.size()) / length : 0; }
    const int32_t* window(int64_t i) const { return ids.data() + i * length; }
};

/// Documents of a file: a .jsonl (optionally .gz) file gives the field "text" of each line; any other file is one document.
std::vector<std::string> readDocuments(const std::filesystem::path& file);

struct CalibrationSource {
    std::filesystem::path text;    ///< text or JSON lines; exactly one of the two is given
    std::filesystem::path tokens;  ///< safetensors with `input_ids`, integer [n, length] or [n]
    int64_t samples = 128;
    int64_t sequenceLength = 0;    ///< for [n, length] token files must agree or be 0
    uint64_t seed = 0;
};

/// Windows at seeded random offsets of the joined text (document-wise where the file has many documents and enough of them are
/// longer than a window), or those of the token file as they stand. `tokenizer` may be null for a token file.
/// Ids are checked against `vocabulary`.
TokenWindows calibrationWindows(const CalibrationSource& source, const Tokenizer* tokenizer, int64_t vocabulary);

enum class Protocol { wikitext2, ptb, c4, plain };
std::string protocolName(Protocol protocol);
Protocol protocolFromName(const std::string& name);  ///< Error with the known names

/// One tokenization of the whole text under the protocol (how rows are joined, special text spelled or matched),
/// as the authors measure perplexity. Disjoint windows are cut by evaluationWindows.
std::vector<int32_t> evaluationTokens(const std::filesystem::path& text, Protocol protocol, const Tokenizer& tokenizer, int64_t sequenceLength);
/// TokenWindows::documents of `ids` that evaluationTokens gave; empty where there is a single document, or the protocol joins none (only c4 and
/// plain do). A token belongs to the document that it ends in: the space between two is often part of the next word. Where a
/// text is changed as it is tokenized, so that ids do not spell it byte for byte, documents cannot be told apart: std::nullopt.
std::optional<std::vector<int64_t>> documentStarts(const std::filesystem::path& text, Protocol protocol, const Tokenizer& tokenizer,
                                                   const std::vector<int32_t>& ids);
/// `input_ids`, integer [n] or [1, n].
std::vector<int32_t> readTokenFile(const std::filesystem::path& file);
/// Disjoint windows, tail dropped; maxWindows 0: all. Error when there is not a single window.
TokenWindows evaluationWindows(const std::vector<int32_t>& ids, int64_t sequenceLength, int64_t maxWindows, int64_t vocabulary);

}  // namespace owq
