// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace owq {

/// Offset of the first byte that is not part of well-formed UTF-8 (no surrogates, no overlong forms), or npos.
size_t invalidUtf8(std::string_view text);
/// Throws Error with the byte position. The regular expressions and SentencePiece behind the tokenizers are only
/// defined for well-formed text.
void requireUtf8(std::string_view text, const std::string& where = "text");
/// Each maximal ill-formed part becomes U+FFFD, as Unicode recommends (and Python's errors="replace" does).
std::string replaceInvalidUtf8(std::string_view text);

/// Bytes of the Unicode White_Space character that `text` begins or ends with; 0 when it is none.
size_t leadingSpace(std::string_view text);
size_t trailingSpace(std::string_view text);

}  // namespace owq
