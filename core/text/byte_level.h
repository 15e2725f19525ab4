// SPDX-License-Identifier: Apache-2.0
// The printable letters that stand for bytes in byte-level vocabularies (GPT-2's bytes_to_unicode).
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace owq {

/// Letter of each byte, as UTF-8: '!' stays, a space is "Ġ".
const std::array<std::string, 256>& byteLetters();
/// A vocabulary entry back to bytes; characters that are no such letters stay as they are.
std::string bytesOfLetters(std::string_view spelled);

}  // namespace owq
