// SPDX-License-Identifier: Apache-2.0
// The directory of a zip file whose entries are stored uncompressed, as PyTorch writes them; ZIP64 included.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace owq {

/// Entry name to its bytes, both views into `file`. Throws Error with `where` for anything cut, compressed, encrypted,
/// listed twice or out of bounds.
using ZipDirectory = std::unordered_map<std::string_view, std::span<const std::byte>>;
ZipDirectory readZipDirectory(std::span<const std::byte> file, const std::string& where);

}  // namespace owq
