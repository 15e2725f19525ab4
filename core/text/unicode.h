// SPDX-License-Identifier: Apache-2.0
// Properties and normal forms of Unicode, by utf8proc. All texts must be well-formed UTF-8.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace owq {

enum class NormalForm { c, d, kc, kd };

/// NFC, NFD, NFKC or NFKD. Throws Error when more combining marks follow each other than any script uses.
std::string normalizeUnicode(std::string_view utf8, NormalForm form);
/// Each character's lower case, without regard to its neighbours.
std::string lowercase(std::string_view utf8);
std::string titlecase(std::string_view utf8);

struct Character {
    int32_t point = 0;  ///< code point
    size_t bytes = 0;
};
Character firstCharacter(std::string_view utf8);  ///< of a text that is not empty
Character lastCharacter(std::string_view utf8);

bool isNumber(int32_t point);       ///< general categories Nd, Nl, No
bool isPunctuation(int32_t point);  ///< general categories P…, and ASCII's symbols
bool isWordCharacter(int32_t point);  ///< regular expressions' \w: letters, marks, digits, connectors, joiners

}  // namespace owq
