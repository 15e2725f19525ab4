// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace owq {

/// Throws Error naming the first id that is not in 0…vocabulary-1.
void checkIds(const std::vector<int32_t>& ids, int64_t vocabulary, const std::string& where);

/// `input_ids` of a safetensors file: its shape and the ids, each in 0…2^31-1.
struct StoredTokens {
    std::vector<int64_t> shape;  ///< one or two dimensions
    std::vector<int32_t> ids;
};
StoredTokens readStoredTokens(const std::string& file);

/// Throws Error when a Git LFS pointer, the small text that stands for a file never downloaded, is in the file's place.
void refusePointer(const std::filesystem::path& file);

}  // namespace owq
