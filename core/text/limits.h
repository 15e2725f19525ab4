// SPDX-License-Identifier: Apache-2.0
// What tokenizer files may claim, and how much work a text may cost, before we refuse. Real files stay far below: the
// largest published vocabularies have some 260,000 entries in 35 MB.
#pragma once
#include <cstddef>
#include <cstdint>

namespace owq::limits {

inline constexpr size_t kVocabularyBytes = 256u << 20;       ///< vocab.json, merges.txt, tokenizer.json
inline constexpr size_t kSentencePieceBytes = 512u << 20;    ///< tokenizer.model
inline constexpr int64_t kTokenId = 1 << 24;                 ///< ids of the settings beside a vocabulary are below this
inline constexpr int64_t kIdsBehindVocabulary = 100'000;     ///< added tokens may lie this far behind it
inline constexpr int64_t kIdGaps = 65536;                    ///< unused ids, besides three for each entry
inline constexpr size_t kTemplateTokens = 1024;              ///< put around a text
inline constexpr size_t kSteps = 256;                        ///< of a normalizer, a pre-tokenizer or a decoder, each

inline constexpr size_t kPatternBytes = 1u << 16;            ///< of a regular expression
inline constexpr uint32_t kMatchSteps = 20'000'000;          ///< of one match
inline constexpr uint32_t kMatchDepth = 100'000;
inline constexpr uint32_t kMatchHeapKiB = 256 * 1024;

inline constexpr size_t kNormalizedGrowth = 64;              ///< a normalized text is at most this many times as long, …
inline constexpr size_t kNormalizedSlack = 1u << 16;         ///< … and this many bytes
inline constexpr size_t kMarksInARow = 10'000;               ///< combining marks: ordering them takes quadratic time

}  // namespace owq::limits
