// SPDX-License-Identifier: Apache-2.0
// What a file is, told by its first bytes.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

namespace owq {

enum class FileKind { safetensors, torchZip, torchLegacy, unknown };
FileKind sniff(std::span<const std::byte> bytes);

/// Throws Error when the bytes are a Git LFS pointer, the small text that stands for a file never downloaded.
void refuseLfsPointer(std::span<const std::byte> bytes, const std::filesystem::path& file);

}  // namespace owq
