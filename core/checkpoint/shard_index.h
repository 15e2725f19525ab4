// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <unordered_map>

namespace owq {

/// `weight_map` of a *.index.json: tensor name to file name in the same folder. Read in one pass; other keys are skipped.
/// Throws Error for anything malformed and for file names that would leave the folder.
std::unordered_map<std::string, std::string> readShardIndex(const std::filesystem::path& file);

}  // namespace owq
