// SPDX-License-Identifier: Apache-2.0
// Which files make up the checkpoint that a path means.
#pragma once
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

namespace owq {

struct CheckpointFiles {
    std::filesystem::path folder;
    std::filesystem::path index;               ///< empty when there is none
    std::vector<std::filesystem::path> files;  ///< by name; each is in `folder`
    std::unordered_map<std::string, std::string> owners;  ///< of the index: tensor to file name
};

/// `path`: folder, index file, tensor file, or the top of a Hugging Face cache folder (models--…). Throws Error.
CheckpointFiles findCheckpointFiles(const std::filesystem::path& path);

}  // namespace owq
